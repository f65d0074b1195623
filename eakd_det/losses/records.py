"""Names of the records that losses read.

The distiller records each one for the student and for the teacher. Row n of every record of sites is the same site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LOGITS = 'proposal_logits'  # class scores of the sites, (N, C)
EMBEDDINGS = 'proposal_embeddings'  # the classifier's input at the sites, (N, D)
LABELS = 'proposal_labels'  # the class assigned to each site, (N,)
IMAGES = 'proposal_images'  # index of each site's image in the batch, (N,)
OBJECTS = 'proposal_objects'  # whether an object was assigned to each site, (N,), bool
VALUABLE = 'proposal_valuable'  # IoU with the object in whose valuable region a site lies, (N,); 0 outside
BOXES = 'proposal_deltas'  # box predictions, (N, 4), (N, 4 K) for boxes of each of K classes, or (N, 4, bins)
CORNERS = 'proposal_corners'  # predicted boxes, (N, 4), from the centre of the site's box in units of its size
PREDICTOR = 'box_predictor'  # the head as a function of pyramid levels, or inner maps: logits and boxes of the sites
GT_BOXES = 'gt_boxes'  # the annotated boxes of each image, (G, 4) each: x1, y1, x2, y2 in pixels of the batch
INPUT_SIZE = 'input_size'  # height and width of the batch, in pixels, padding included
INNER = 'head_maps'  # the student's maps inside the head; of the teacher's, mean and deviation of each channel
NECK = 'neck_features'  # all levels of the feature pyramid, fine to coarse, each (I, D, H, W)


def mapping(reads: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return where each argument comes from, in the format of MMRazor's ``loss_forward_mappings``.

    Arguments whose names end in ``_T`` come from the teacher.

    Example:
        >>> mapping({'preds_T': LOGITS})
        {'preds_T': {'recorder': 'proposal_logits', 'from_student': False}}
    """
    return {
        argument: dict(recorder=record, from_student=not argument.endswith('_T')) for argument, record in reads.items()
    }


def pairs(**reads: str) -> dict[str, str]:
    """Return the arguments of both sides for each record.

    Example:
        >>> pairs(preds=LOGITS)
        {'preds_S': 'proposal_logits', 'preds_T': 'proposal_logits'}
    """
    return {f'{argument}_{side}': record for argument, record in reads.items() for side in 'ST'}


def arguments(names: Iterable[str]) -> str:
    """Join ``names`` for a message.

    Example:
        >>> arguments(['preds_S', 'preds_T', 'images'])
        'preds_S, preds_T and images'
    """
    *rest, last = names
    return f'{", ".join(rest)} and {last}' if rest else last
