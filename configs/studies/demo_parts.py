# What a recipe can be made of, on the digit scenes with the packaged teacher: logits standardised or not, features,
# their sums, the teacher's weights as a start, forms of the weight in losses whose gradients have the same size, and
# that size. Its length: demo_budget.py.
_base_ = './_base_/demo.py'

title = 'Digit scenes: parts of a recipe'
teacher = dict(_delete_=True, checkpoint='zoo://demo-teacher')
questions = {
    'Does EA help KD?': ('ea-kd', 'kd'),
    'Does LS help KD?': ('kd-ls', 'kd'),
    'Does LS help EA-KD?': ('ea-kd-ls', 'ea-kd'),
    'Does EA help KD+LS?': ('ea-kd-ls', 'kd-ls'),
    'Does EA help ReviewKD?': ('ea-review-kd', 'review-kd'),
    'Do features help EA-KD?': ('ea-kd-pkd', 'ea-kd'),
    'Does EA-KD help PKD?': ('ea-kd-pkd', 'pkd'),
    'Does EA-KD help FGD?': ('ea-kd-fgd', 'fgd'),
    'Does FGD help EA-KD?': ('ea-kd-fgd', 'ea-kd'),
    'Does the start help, with the same total of iterations?': ('inherit', 'student-520'),
    'Does teaching help beyond the start?': ('inherit-ea-kd', 'inherit'),
    'Do features, beyond the start?': ('inherit-ea-kd-pkd', 'inherit-ea-kd'),
    'Does LS, beyond the start?': ('inherit-ea-kd-ls', 'inherit-ea-kd'),
    'Does EA help, at equal size?': ('ea-ratio', 'kd-ratio'),
    'Does the probability of an object help, at equal size?': ('object-ratio', 'kd-ratio'),
    'Does the surest first help, at equal size?': ('confident-ratio', 'kd-ratio'),
    'Do two weights help, at equal size?': ('groups-ratio', 'kd-ratio'),
    'Does EA beat two weights, at equal size?': ('ea-ratio', 'groups-ratio'),
    'Does EA beat the probability of an object, at equal size?': ('ea-ratio', 'object-ratio'),
    'Does EA beat the surest first, at equal size?': ('ea-ratio', 'confident-ratio'),
    'Does LS help KD, at equal size?': ('kd-ls-ratio', 'kd-ratio'),
    'Does EA help KD+LS, at equal size?': ('ea-kd-ls-ratio', 'kd-ls-ratio'),
    'Does loss weight 8 help KD?': ('kd-weight8', 'kd'),
    'Does a gradient ratio of 0.5 beat loss weight 1?': ('kd-ratio', 'kd'),
    'Does it beat loss weight 2?': ('kd-ratio', 'kd-weight2'),
    'Does it beat loss weight 4?': ('kd-ratio', 'kd-weight4'),
    'Does it beat loss weight 8?': ('kd-ratio', 'kd-weight8'),
}

_pair = '../pairs/r18w32-r18w16_demo.py'
_loss = 'model.distiller.distill_losses.loss_kd'
_parts = ['backbone', 'neck', 'rpn_head', 'roi_head']
_titles = {
    'kd': 'KD',
    'ea-kd': 'EA-KD',
    'kd-ls': 'KD+LS',
    'ea-kd-ls': 'EA-KD+LS',
    'review-kd': 'ReviewKD',
    'ea-review-kd': 'EA-ReviewKD',
    'pkd': 'PKD',
    'ea-kd-pkd': 'EA-KD and PKD',
    'fgd': 'FGD',
    'ea-kd-fgd': 'EA-KD and FGD',
}
_weightings = {
    'kd': ('no weights', {}),
    'ea': ('EA', {'type': 'eakd_det.EntropyWeighting'}),
    'groups': (
        "EA's mean weights for background and the rest",
        {'type': 'eakd_det.MeanMatchedWeighting', 'by_background': True},
    ),
    'object': ("1 - teacher's background", {'type': 'eakd_det.ConfidenceWeighting', 'score': 'object'}),
    'confident': ("teacher's highest score", {'type': 'eakd_det.ConfidenceWeighting'}),
}
arms = {
    **{_name: dict(title=_title, config=f'{_pair}+{_name}') for _name, _title in _titles.items()},
    **{
        f'{_name}-ratio': dict(
            title=f'KD, gradient ratio 0.5, {_title}',
            config=f'{_pair}+kd',
            options={
                'model.gradient_ratio.target': 0.5,
                **{f'{_loss}.weighting.{_key}': _value for _key, _value in _options.items()},
            },
        )
        for _name, (_title, _options) in _weightings.items()
    },
    **{
        f'{_name}-ratio': dict(
            title=f'{_titles[_name]}, gradient ratio 0.5',
            config=f'{_pair}+{_name}',
            options={'model.gradient_ratio.target': 0.5},
        )
        for _name in ('kd-ls', 'ea-kd-ls')
    },
    # The iterations of the packaged teacher and of a student: what is inherited was trained for the former.
    'student-520': dict(
        title='student, 520 iterations',
        config='../demo/student_faster-rcnn_r18w16_fpn_demo.py',
        options={
            'train_cfg.max_iters': 520,
            'train_cfg.val_interval': 520,
            'param_scheduler.1.end': 520,
            'param_scheduler.1.T_max': 470,
            'default_hooks.checkpoint.interval': 520,
        },
    ),
    'inherit': dict(
        title='inheritance alone',
        config=f'{_pair}+ea-kd',
        options={'model.inherit': _parts, f'{_loss}.loss_weight': 0.0},
    ),
    **{
        f'inherit-{_name}': dict(
            title=f'inheritance, {_titles[_name]}', config=f'{_pair}+{_name}', options={'model.inherit': _parts}
        )
        for _name in ('ea-kd', 'ea-kd-pkd', 'ea-kd-ls')
    },
    **{
        f'kd-weight{_weight}': dict(
            title=f'KD, loss weight {_weight}', config=f'{_pair}+kd', options={f'{_loss}.loss_weight': float(_weight)}
        )
        for _weight in (2, 4, 8)
    },
}
