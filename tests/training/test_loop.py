"""A run that was stopped ends where one ends that was not. Needs training/requirements.txt (PyTorch)."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training/requirements.txt is not installed")
import loop  # noqa: E402


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __iter__(self):
        rng = np.random.default_rng(self.seed)
        while True:
            x = torch.from_numpy(rng.normal(size=(4, 3)).astype(np.float32))
            yield x, x.sum(1, keepdim=True)


class Stopped(Exception):
    pass


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "EVERY", 5)

    def run(name: str, stop_at: int | None = None, seed: int = loop.SEED) -> torch.Tensor:
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
        seen = 0

        def loss_of(model, x, y):
            nonlocal seen
            seen += 1
            if seen == stop_at:
                raise Stopped
            return (model(x) - y).square().mean()

        trained = loop.train(
            model,
            Stream,
            loss_of,
            lambda model: {"toy": 0.5},
            tmp_path / name,
            steps=12,
            rate=0.01,
            seed=seed,
            workers=0,
        )
        return torch.cat([weight.flatten() for weight in trained.parameters()])

    return run


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(train, tmp_path: Path) -> None:
    never = train("never")
    with pytest.raises(Stopped):
        train("once", stop_at=9)  # after the checkpoint at step 5, before the one at 10
    assert torch.equal(train("once"), never)
    for name in ("log.csv", "figures.csv"):
        there = [(tmp_path / run / name).exists() for run in ("never", "once")]
        assert there[0] == there[1]
    assert (tmp_path / "once/figures.csv").read_text() == (tmp_path / "never/figures.csv").read_text()


def test_the_seed_decides_the_weights(train) -> None:
    one = train("one")
    assert torch.equal(train("same"), one)
    assert not torch.equal(train("other", seed=loop.SEED + 1), one)
