# LD: the distributions of box sides, of GFL and its kin, at the sites with an object. The numbers are those of the
# published code, which takes the mean over 17 bins and weighs each site by the student's score.
distiller = dict(
    distill_losses=dict(
        loss_ld=dict(
            type='eakd_det.LDLoss',
            tau=10.0,
            loss_weight=0.25 / 17,
            reduction='sum',
            weigh_by='classes',
            weighting=dict(type='eakd_det.ConfidenceWeighting', side='student'),
        ),
    ),
)
