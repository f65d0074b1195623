# Widths of both detectors for losses with trained modules: 32 and 64 channels in the pyramids, 256 in the box heads.
loss_options = dict(
    loss_review=dict(student_channels=32, teacher_channels=64, mid_channels=64, num_levels=4),
    loss_fcfd=dict(student_channels=32, teacher_channels=64, num_levels=4),
    loss_fgd=dict(student_channels=32, teacher_channels=64),
    loss_fitnet=dict(student_channels=32, teacher_channels=64),
    loss_ofd=dict(student_channels=32, teacher_channels=64),
    loss_srrl=dict(student_channels=32, teacher_channels=64),
    loss_pad=dict(student_channels=256),
    loss_nd=dict(student_channels=256),
    loss_crd=dict(student_channels=256),
)
