"""Training: one loop for the final network and for every cell of a comparison; on one process or many; never losing work.

part.py        rows of a store, as tensors                    order.py     which rows stand in which batch
feed.py        batches made ready while the network works     average.py   the exponential average of the weights
loop.py        fit: the loop itself                           judge.py     logits, and what the validation part says
checkpoint.py  everything that a killed training goes on from
machine.py     the device, its precision, and the processes that share the work
alone.py       what a training asks of the machine, and the answer where it is the only process
optimizer.py   AdamW
shared_norm.py batch normalisation over the batches of all processes
"""

from .alone import Machine
from .judge import forward
from .loop import Settings, fit
from .machine import keep_malloc, machine
from .order import batches_an_epoch
from .part import Part, statistics

__all__ = ["Machine", "Part", "Settings", "batches_an_epoch", "fit", "forward", "keep_malloc", "machine", "statistics"]
