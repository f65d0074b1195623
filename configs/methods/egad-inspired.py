# EGAD-inspired: certain proposals first; uncertain ones are softened more, and taught by embeddings as well. EGAD
# publishes no equations; these are ours. 220 iterations are the demo's.
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
