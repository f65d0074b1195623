# SRRL: the teacher's head on the student's pyramid, through a bridge, is to give the teacher's logits, and channels the
# teacher's means. Nothing is published for detection; the widths of the pyramids are in the pair's loss_options.
distiller = dict(
    distill_losses=dict(
        loss_srrl=dict(
            type='eakd_det.CrossHeadLoss',
            student_channels=256,
            teacher_channels=256,
            num_levels=4,
            squared=True,
            feature_weight=1.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)
