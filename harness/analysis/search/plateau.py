"""In: how far a rate lies below saturation, as a line that lasts forever sees it. Out: how far below it must lie for a plateau of one
minute.

A line near saturation behaves like Brownian motion with drift −u reflected at 0 (the heavy-traffic limit; Asmussen, Applied Probability and
Queues, 2003). Unit of time: the plateau; unit of length: the motion's own spread over it. Forever, its level exceeds ln(1/q) / (2u) for
a share q of the time. Over one plateau, begun after a third of a plateau from empty, it exceeds LEVELS[u][q] for a share q of the time
in half of the cases (3,000 simulated paths of 2,000 steps each, with the exact maximum between steps).
"""

from __future__ import annotations

import numpy as np

SLACK = np.array([-4, -2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20])
SHARES = np.array([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5])
LEVELS = np.array(
    [
        [5.4746, 5.4404, 5.3785, 5.2424, 5.0122, 4.6073, 4.0093, 3.4115],
        [3.067, 3.0375, 2.991, 2.8877, 2.7507, 2.5031, 2.1747, 1.8659],
        [2.0245, 1.9967, 1.9573, 1.8832, 1.7753, 1.6023, 1.3745, 1.1718],
        [1.5855, 1.5575, 1.5256, 1.4463, 1.3478, 1.1982, 0.9978, 0.8304],
        [1.26, 1.2356, 1.1968, 1.1195, 1.032, 0.8918, 0.726, 0.566],
        [1.0303, 1.004, 0.9677, 0.8922, 0.8065, 0.6827, 0.5275, 0.3951],
        [0.8714, 0.8463, 0.8136, 0.7383, 0.6537, 0.529, 0.3925, 0.2813],
        [0.7469, 0.7215, 0.6867, 0.6127, 0.5327, 0.4187, 0.2982, 0.2067],
        [0.6504, 0.6244, 0.588, 0.5244, 0.4481, 0.3426, 0.2363, 0.1634],
        [0.5312, 0.5078, 0.4739, 0.4075, 0.3377, 0.2505, 0.1686, 0.1134],
        [0.4411, 0.4174, 0.3849, 0.3224, 0.2626, 0.1905, 0.1278, 0.0851],
        [0.3404, 0.3164, 0.2854, 0.2326, 0.1835, 0.1308, 0.0864, 0.0576],
        [0.2746, 0.2526, 0.224, 0.1788, 0.1394, 0.0986, 0.0648, 0.043],
        [0.1991, 0.1796, 0.1567, 0.1225, 0.0952, 0.0669, 0.0437, 0.0289],
        [0.1266, 0.1122, 0.0964, 0.0744, 0.0573, 0.0401, 0.0262, 0.0173],
    ]
)


def boundary(forever: float, share: float) -> float:
    """The slack u over one plateau at which the line has the level that slack `forever` (> 0) gives it in the long run, for a share of
    the time."""
    level = np.log(1 / share) / (2 * max(forever, 1e-6))
    share = float(np.clip(share, SHARES[0], SHARES[-1]))
    levels = np.array([np.interp(np.log(share), np.log(SHARES), row) for row in LEVELS])
    if level < levels[-1]:
        return forever
    return float(np.interp(-level, -levels, SLACK))
