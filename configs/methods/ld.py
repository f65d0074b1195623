# LD: the distributions of box sides, of GFL and its kin, at the sites with an object and in the valuable region around
# them. The numbers are those of the published code, which takes the mean over 17 bins, weighs a site with an object by
# the student's score, one around it by its IoU, and divides the latter by 16 instead of 4.
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
        loss_ld_valuable=dict(
            type='eakd_det.LDLoss',
            tau=10.0,
            loss_weight=0.25 / 17 / 4,
            reduction='sum',
            sites='valuable',
            weigh_by='overlap',
        ),
    ),
)
