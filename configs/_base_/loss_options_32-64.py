# Widths of both detectors for losses with trained modules: 32 and 64 channels in the pyramids, 256 in the box heads.
loss_options = dict(
    loss_review=dict(student_channels=32, teacher_channels=64, mid_channels=64, num_levels=4),
    loss_fcfd=dict(student_channels=32, teacher_channels=64, num_levels=4),
    loss_pad=dict(student_channels=256),
)
