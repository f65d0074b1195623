# EGAD-inspired: confident proposals come first; uncertain ones have a higher temperature and an embedding loss. EGAD
# publishes no equations; these are an interpretation. 220 is the demo's number of iterations.
distiller = dict(
    distill_losses=dict(
        loss_kd=dict(
            type='eakd_det.KDLoss',
            tau=dict(type='eakd_det.EntropyTemperature', tau_min=1.0, tau_max=4.0),
            loss_weight=1.0,
            weighting=dict(type='eakd_det.CurriculumWeighting', total_iters=220),
        ),
        loss_embedding=dict(
            type='eakd_det.EmbeddingLoss',
            loss_weight=1.0,
            weighting=dict(type='eakd_det.HardProposalWeighting', threshold=0.5),
        ),
    ),
)
