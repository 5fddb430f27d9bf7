"""Training: one loop for the final network and for every cell of a comparison; on one process or many; never losing work.

part.py        examples to learn from, as tensors             examples.py    those of each task
order.py       which examples stand in which batch
feed.py        batches made ready while the network works     average.py     the exponential average of the weights
loop.py        fit: the loop itself                           validation.py  logits, and the metrics of the validation part
schedule.py    the learning rate, and which epoch is kept
checkpoint.py  everything that a killed training goes on from
machine.py     the device, its precision, and the processes that share the work
alone.py       what a training asks of the machine, and the answer where it is the only process
shared_norm.py batch normalisation over the batches of all processes
"""

from .alone import Machine
from .examples import examples
from .loop import Settings, fit
from .machine import keep_malloc, machine
from .order import batches_an_epoch
from .part import Part, Views, statistics
from .validation import forward, outputs

__all__ = [
    "Machine",
    "Part",
    "Settings",
    "Views",
    "batches_an_epoch",
    "examples",
    "fit",
    "forward",
    "keep_malloc",
    "machine",
    "outputs",
    "statistics",
]
