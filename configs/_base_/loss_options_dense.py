# Dense heads have 10,000 and more sites in an image, nearly all of them background: a mean over them would all but
# vanish, so their own losses and this one are divided by the number of objects. At T' = 3 the weight of a sigmoid score
# is nearly constant. FGD's weights are those that its code has for RetinaNet and GFL, with P3 to P7.
loss_options = dict(
    loss_kd=dict(reduction='objects', weighting=dict(tau=1.0)),
    loss_cross=dict(reduction='objects', weighting=dict(tau=1.0)),
    loss_fgd=dict(
        foreground_weight=1e-3, background_weight=5e-4, attention_weight=5e-4, relation_weight=5e-6, num_levels=5
    ),
)
