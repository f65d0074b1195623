"""The page, the table and the plot of a finished run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from PIL import Image

from eakd_det.cli import train as train_tool
from eakd_det.errors import ConfigError
from eakd_det.inspection.compare import compare_table
from eakd_det.inspection.compare import main as compare
from eakd_det.inspection.curves import read_curves
from eakd_det.inspection.explore import main as explore
from eakd_det.inspection.explore import write_page
from eakd_det.inspection.measuring import Measured
from eakd_det.inspection.picture import draw_run
from eakd_det.inspection.plot import plot_ap_against_time
from eakd_det.inspection.runs import FinishedRun
from tests import tiny_data

BROWSER = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
PIXEL = 'data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs='
CONTENT = dict(
    title='cells </script>',
    classes=['cell', 'platelet'],
    detectors=dict(teacher='teacher', distilled='distilled student'),
    figures=dict(teacher=dict(AP=0.5, AP50=0.8, AP75=None), distilled=dict(AP=0.4, AP50=0.7, AP75=0.3)),
    remark='',
    photos=[
        dict(
            name='a.jpg',
            width=100,
            height=80,
            image=PIXEL,
            truth=[[10, 10, 50, 50, 0], [60, 10, 90, 40, 1]],
            found=dict(
                teacher=[[11, 10, 50, 50, 0, 0.9], [12, 11, 50, 50, 0, 0.8], [60, 10, 90, 40, 1, 0.35]],
                distilled=[[60, 10, 90, 40, 0, 0.6]],
            ),
            sites=[
                dict(box=[10, 10, 50, 50], weight=0.9, teacher=1.2, student=1.3, is_object=True),
                dict(box=[0, 0, 5, 5], weight=0.1, teacher=0.2, student=0.3, is_object=False),
            ],
        )
    ],
    curves={'teacher': dict(loss=[(1, 2.0), (10, 1.0)], AP=[(10, 0.5)]), 'distilled student': dict(loss=[(1, 2.5)])},
)


def rendered(path, score=None):
    """The page after its script has run, at a position of the slider."""
    if score is not None:
        move = f'const s = document.getElementById("score"); s.value = {score}; s.dispatchEvent(new Event("input"));'
        path.write_text(path.read_text().replace('filter();\n</script>', f'filter(); {move}\n</script>'))
    flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--dump-dom']
    result = subprocess.run([BROWSER, *flags, path.as_uri()], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason='needs chromium')
def test_the_page_in_a_browser(tmp_path):
    write_page(tmp_path / 'page.html', CONTENT)
    page = rendered(tmp_path / 'page.html')
    assert re.search(r'<h1>cells &lt;/script&gt;</h1>', page)
    captions = re.findall(r'<figcaption>(.*?)</figcaption>', page)
    assert captions[:3] == [
        'a.jpg: ground truth, 2 objects',
        'teacher: 2 right, 1 wrong, 0 missed',  # the second detection of the same object is wrong
        'distilled student: 0 right, 1 wrong, 2 missed',  # the place is right, the class is not
    ]
    assert 'heaviest 1' in page
    assert page.count('<polyline') == 3
    assert '<td>50.0</td><td>80.0</td><td>-</td>' in page
    page = rendered(tmp_path / 'page.html', score=0.5)
    assert 'teacher: 1 right, 1 wrong, 1 missed' in page


def test_text_cannot_end_the_script(tmp_path):
    write_page(tmp_path / 'page.html', CONTENT)
    page = (tmp_path / 'page.html').read_text()
    assert page.count('</script>') == 1
    assert '%DATA%' not in page


def test_curves_of_a_resumed_run_have_the_later_values(tmp_path):
    for folder, rows in (('1', [dict(loss=3.0, step=1), dict(loss=2.0, step=2)]), ('2', [dict(loss=1.5, step=2)])):
        (tmp_path / folder / 'vis_data').mkdir(parents=True)
        lines = [json.dumps(row) for row in rows]
        (tmp_path / folder / 'vis_data/scalars.json').write_text('\n'.join([*lines, '{"loss": 1.0, "st']))
    assert read_curves(tmp_path) == {'loss': [(1, 3.0), (2, 1.5)]}


def test_a_folder_without_a_distillation_is_refused(trained, tmp_path, capsys):
    with pytest.raises(ConfigError, match='has no teacher in its config'):
        FinishedRun.find(trained.work_dir)
    assert compare([str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith('Error: run: expected the folder of a finished run')


def test_table_and_plot(tmp_path):
    rows = [Measured('teacher', 2_000_000, None, 50.0, 0.5), Measured('ONNX', None, None, 10.0, None, True)]
    assert '| teacher  |           2.00 |         - | 50.0 | 50.0 |' in compare_table(rows)
    assert '| ONNX     |              - |         - | 10.0 |    - |' in compare_table(rows)
    plot_ap_against_time(rows, tmp_path / 'plot.png')
    assert Image.open(tmp_path / 'plot.png').size == (768, 504)


@pytest.fixture(scope='module')
def distilled(tmp_path_factory, trained):
    """A folder with teacher, plain and distilled student of one iteration, as one call leaves it."""
    root = tmp_path_factory.mktemp('run')
    teacher = str(trained.work_dir / 'student.pth')
    changes = dict(iters=1, param_scheduler=[dict(type='ConstantLR', factor=1.0, by_epoch=False)])
    plain, kd = (
        tiny_data.dump(cfg, root / f'{name}.py')
        for name, cfg in (
            ('plain', tiny_data.student_config(trained.data, **changes)),
            ('kd', tiny_data.distill_config(trained.data, teacher, **changes)),
        )
    )
    for name, config in (('student', plain), ('distilled', kd)):
        assert train_tool.main([config, '--work-dir', str(root / name)]) == 0
    return root


@pytest.mark.slow
def test_a_run_is_found_with_what_it_is_compared_with(distilled, trained):
    run = FinishedRun.find(distilled)
    assert run.distilled == distilled / 'distilled'
    assert run.plain == distilled / 'student'
    assert list(run.detectors('cpu')) == list(run.figures()) == ['teacher', 'student', 'distilled']
    assert run.config_file() == distilled / 'distilled' / 'kd.py'
    assert FinishedRun.find(distilled / 'distilled', trained.work_dir).plain == trained.work_dir


@pytest.mark.slow
def test_picture_table_and_page_of_a_run(distilled, capsys):
    assert draw_run(FinishedRun.find(distilled), distilled / 'picture.jpg', 2).is_file()
    assert compare([str(distilled), '--photos', '2']) == 0
    printed = capsys.readouterr().out
    rows = re.findall(r'^\| ([\w ]+?) +\| +([\d.]+) \| +([\d.]+) \| +([\d.]+) \|', printed, re.MULTILINE)
    assert [row[0] for row in rows] == ['teacher', 'student', 'distilled student']
    assert all(float(value) > 0 for row in rows for value in row[1:])
    assert (distilled / 'compare.png').is_file()
    assert explore([str(distilled), '--photos', '2', '--sites', '3']) == 0
    data = json.loads(re.search(r'^const data = (.*);$', (distilled / 'explore.html').read_text(), re.MULTILINE)[1])
    assert len(data['photos']) == 2
    sites = data['photos'][0]['sites']
    assert len(sites) == 6
    weights = [site['weight'] for site in sites]
    assert weights == sorted(weights, reverse=True)
    assert set(data['curves']) == {'teacher', 'student', 'distilled student'}
