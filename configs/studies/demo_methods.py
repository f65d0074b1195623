# Every method with and without EA's weights (the grids of the paper's Table 2 and of its supplement, on detectors), and
# logit standardisation with and without them.
_base_ = './_base_/demo.py'

title = 'Digit scenes: methods with and without EA'

_pair = '../pairs/r18w32-r18w16_demo.py'
_titles = {
    'kd': 'KD',
    'ctkd': 'CTKD',
    'dkd': 'DKD',
    'mld': 'MLD',
    'ttm': 'TTM',
    'kd-ls': 'KD+LS',
    'dkd-ls': 'DKD+LS',
    'mld-ls': 'MLD+LS',
    'review-kd': 'ReviewKD',
    'fcfd': 'FCFD',
    'rkld': 'RKLD',
    'jsd': 'JSD',
    'skld': 'SKLD',
    'srkld': 'SRKLD',
}
arms = {
    **{
        f'{_ea}{_method}': dict(title=f'{_ea.upper()}{_title}', config=f'{_pair}+{_ea}{_method}')
        for _method, _title in _titles.items()
        for _ea in ('', 'ea-')
    },
    'wttm': dict(title='WTTM', config=f'{_pair}+wttm'),
    'ctkd-ls': dict(title='CTKD+LS', config=f'{_pair}+ctkd-ls'),
    'pad': dict(title='PAD', config=f'{_pair}+pad'),
    'egad-inspired': dict(title='EGAD-inspired', config=f'{_pair}+egad-inspired'),
}
questions = {
    **{f'Does EA help {_title}?': (f'ea-{_method}', _method) for _method, _title in _titles.items()},
    "Is EA's weight better than WTTM's?": ('ea-ttm', 'wttm'),
    **{f'Does LS help {_method.upper()}?': (f'{_method}-ls', _method) for _method in ('kd', 'ctkd', 'dkd', 'mld')},
}
