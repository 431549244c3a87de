"""Prints what TensorBoard reads from a folder of event files.

scalars     {tag: [[step, value, seconds since 1970], ...]}
images      {tag: [[step, width, height, whether it is a PNG file], ...]}
histograms  {tag: [[step, min, max, number of values, sum of the bins, last limit], ...]}
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
events.Reload()
tags = events.Tags()
print(json.dumps({
    "scalars": {tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in tags["scalars"]},
    "images": {tag: [[e.step, e.width, e.height, e.encoded_image_string.startswith(b"\x89PNG\r\n")]
                     for e in events.Images(tag)] for tag in tags["images"]},
    "histograms": {tag: [[e.step, h.min, h.max, h.num, sum(h.bucket), h.bucket_limit[-1]]
                         for e in events.Histograms(tag) for h in [e.histogram_value]] for tag in tags["histograms"]},
}))
