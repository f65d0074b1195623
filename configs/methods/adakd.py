# AdaKD: KD weighted by the teacher's own loss, proposals that it gets right first. 220 is the demo's number of
# iterations.
_base_ = './kd.py'

distiller = dict(
    distill_losses=dict(loss_kd=dict(weighting=dict(type='eakd_det.TeacherLossWeighting', total_iters=220)))
)
