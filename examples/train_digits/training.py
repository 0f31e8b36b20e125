"""The training itself: steps, samples and checkpoints, from the beginning or from a checkpoint."""

import math
from dataclasses import dataclass
from typing import Any, Mapping, Optional

import torch

from checkpoints import checkpoint_path, digest, prune, read_tensors, write_checkpoint
from diffusion import training_loss
from digits_data import load_digits
from errors import InputError
from files import write_whole
from model_state import ModelState, learning_rate_at
from parameters import Parameters, Place
from randomness import DataOrder, generators_state, restore_generators, seed_all
from reporting import Reporter, finite_or_name
from samples import validation_png
from stopping import StopRequest

_LOSS_AVERAGE_DECAY = 0.98


@dataclass(frozen=True)
class Task:
    """A training that has been checked: its checkpoint, where it has one, fits, and a LoRA's base is one."""

    parameters: Parameters
    place: Place
    threads: int
    identity: Mapping[str, Any]
    width: int
    shown_classes: tuple[int, ...]
    resume: Optional[tuple[str, Mapping[str, Any]]]  # the checkpoint and its header


class Training:
    def __init__(self, task: Task, reporter: Reporter) -> None:
        self.task, self.reporter = task, reporter
        asked = task.parameters
        pictures, classes = load_digits(asked)
        self.pictures, self.classes = torch.from_numpy(pictures), torch.from_numpy(classes)
        seed_all(asked.seed)
        lora = asked.stage == "lora"
        self.model = ModelState(task.width, asked.rank if lora else None, read_tensors(asked.base_model) if lora else None)
        self.order = DataOrder(len(pictures), asked.seed)
        self.step = 0
        self.saved_step = -1
        self.loss_average = 0.0
        self.losses = torch.zeros(asked.steps)
        if task.resume:
            self._restore(*task.resume)
        self.total = max(asked.steps, self.step)

    def _restore(self, path: str, header: Mapping[str, Any]) -> None:
        tensors = read_tensors(path)
        self.model.restore(tensors)
        self.step, self.loss_average = header["step"], float(header["loss_average"])
        past = tensors["losses"]
        self.losses = torch.cat([past, torch.zeros(max(0, self.task.parameters.steps - len(past)))])
        self.order.restore(header["order"])
        restore_generators(header["generators"])

    def run(self, stop: StopRequest) -> bool:
        """True once all steps are done and the result is reported, false after a stop, for which a checkpoint is written."""
        asked = self.task.parameters
        while self.step < asked.steps and not stop.is_asked:
            self._one_step()
            if self.step < asked.steps and self.step % asked.validation_interval == 0:
                self._validate()
            if self.step < asked.steps and self.step % asked.checkpoint_interval == 0:
                self._save()
        if self.step < asked.steps:
            self._save()
            return False
        self._finish()
        return True

    def _one_step(self) -> None:
        asked = self.task.parameters
        chosen = self.order.next_batch(asked.batch_size)
        loss = training_loss(self.model.network, self.pictures[chosen], self.classes[chosen])
        rate = learning_rate_at(self.step + 1, self.total, asked.learning_rate)
        self.model.learn(loss, self.step + 1, rate)
        self.step += 1
        value = loss.item()
        self.losses[self.step - 1] = value
        before = self.loss_average if self.step > 1 else value
        self.loss_average = _LOSS_AVERAGE_DECAY * before + (1 - _LOSS_AVERAGE_DECAY) * value
        if self.step % asked.report_interval == 0 or self.step == asked.steps or not math.isfinite(value):
            metrics = {"loss": value, "loss_average": self.loss_average, "learning_rate": rate}
            self.reporter.progress(self.step, self.total, metrics, print_now=self.step == asked.steps)
        if asked.stop_on_nan and not math.isfinite(value):
            self._refuse_nan()

    def _refuse_nan(self) -> None:
        bad = (~torch.isfinite(self.losses[:self.step])).nonzero().flatten().tolist()
        what = "the weights are no numbers"
        if bad:
            what = f"the loss is {self.losses[bad[0]].item()} at step {bad[0] + 1}"
        raise InputError(f"{what}: a lower learning_rate may help")

    def _validate(self) -> None:
        path = self.task.place.output / f"sample-{self.step:06}.png"
        write_whole(path, validation_png(self.model.averaged_network(), self.task.shown_classes))
        self.reporter.artifact(path)

    def _header(self, holds: str) -> dict[str, Any]:
        task = self.task
        return {"holds": holds, "step": self.step, "identity": task.identity, "width": task.width, "threads": task.threads,
                "classes": list(task.parameters.classes), "torch": torch.__version__,
                "average_sha256": digest(self.model.average_tensors())}

    def _save(self) -> None:
        """A checkpoint of this step, unless it has one, or its weights are no numbers."""
        if self.saved_step == self.step or not self.model.is_finite():
            return
        path = checkpoint_path(self.task.place.output, self.step)
        header = {**self._header("training"), "loss_average": finite_or_name(self.loss_average), "order": self.order.state(),
                  "generators": generators_state()}
        write_checkpoint(path, header, {**self.model.tensors(), "losses": self.losses[:self.step].clone()})
        self.saved_step = self.step
        self.reporter.checkpoint(path, self.step)
        prune(path.parent, self.step, self.task.parameters.keep_checkpoints)

    def _finish(self) -> None:
        if not self.model.is_finite():
            self._refuse_nan()
        folder = self.task.place.output
        self._validate()
        self._save()
        weights, losses = folder / "weights.pt", folder / "losses.csv"
        write_checkpoint(weights, self._header("weights"), self.model.average_tensors())
        rows = [f"{step},{value!r}\n" for step, value in enumerate(self.losses[:self.step].tolist(), 1)]
        write_whole(losses, "".join(["step,loss\n", *rows]).encode())
        self.reporter.artifact(weights)
        self.reporter.artifact(losses)
        self.reporter.done({"path": checkpoint_path(folder, self.step), "weights": weights, "losses": losses,
                            "sample": folder / f"sample-{self.step:06}.png", "stage": self.task.parameters.stage,
                            "steps": self.step, "final_loss": self.losses[self.step - 1].item(),
                            "loss_average": self.loss_average})
