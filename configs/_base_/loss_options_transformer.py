# T' = 2 for the weights, which the EA-KD paper uses with transformer teachers; 1024 channels in the student's box head.
_tau = dict(weighting=dict(tau=2.0))
loss_options = dict(
    loss_kd=_tau,
    loss_dkd=_tau,
    loss_mld=_tau,
    loss_ttm=_tau,
    loss_rkld=_tau,
    loss_jsd=_tau,
    loss_skld=_tau,
    loss_srkld=_tau,
    loss_review=_tau,
    loss_fcfd=_tau,
    loss_pad=dict(student_channels=1024),
)
del _tau
