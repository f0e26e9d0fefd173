"""PP-OCRv6's small networks as PyTorch modules, to be trained on from their weights (Apache-2.0, in the rapidocr wheel).

Both are of one build: a stem that quarters the picture, then blocks of a 3 x 3 depth-wise convolution, which may squeeze
and excite, and two 1 x 1 ones with a GELU between (PP-LCNetV4). The recogniser halves only the height as it goes down and
ends in two small transformer blocks along the line (SVTR, Du et al., IJCAI 2022); the detector ends in a pyramid.
The published files hold batch normalisation folded into the convolutions, so there is none here either.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import rapidocr
import torch
from onnx import numpy_helper
from torch import nn

MODELS = Path(rapidocr.__file__).parent / "models"


class Excite(nn.Module):
    """Squeeze and excitation. `slope` is the hard sigmoid's: 1/6 in the backbone, 0.2 in the pyramid."""

    def __init__(self, channels: int, slope: float = 1 / 6) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)
        self.slope = slope

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        held = self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True))))
        return x * (held * self.slope + 0.5).clamp(0, 1)


class Mix(nn.Module):
    def __init__(self, cin: int, cout: int, stride: tuple[int, int] = (1, 1), excite: bool = False) -> None:
        super().__init__()
        self.deep = nn.Conv2d(cin, cin, 3, stride, 1, groups=cin)
        self.excite = Excite(cin) if excite else nn.Identity()
        self.up, self.down = nn.Conv2d(cin, 2 * cin, 1), nn.Conv2d(2 * cin, cout, 1)
        self.residual = stride == (1, 1) and cin == cout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.excite(self.deep(x))
        y = self.down(nn.functional.gelu(self.up(x)))
        return x + y if self.residual else y


class Stem(nn.Module):
    def __init__(self, half: int, out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, half, 3, 2, 1)
        self.left, self.right = nn.Conv2d(half, half // 2, 2), nn.Conv2d(half // 2, half, 2)
        self.third, self.last = nn.Conv2d(2 * half, half, 3, 2, 1), nn.Conv2d(half, out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x))
        pad = nn.functional.pad
        y = torch.relu(self.right(pad(torch.relu(self.left(pad(x, (0, 1, 0, 1)))), (0, 1, 0, 1))))
        x = nn.functional.max_pool2d(pad(x, (0, 1, 0, 1)), 2, 1)
        return torch.relu(self.last(torch.relu(self.third(torch.cat([x, y], 1)))))


def row(channels: int, pattern: str) -> list[Mix]:
    """A block a letter: `e` squeezes and excites, `-` does not."""
    return [Mix(channels, channels, excite=letter == "e") for letter in pattern]


class Recogniser(nn.Module):
    """N x 3 x 48 x W in 0..1, RGB → N x W/8 x (1 + digits + point) logits, and N x kinds."""

    def __init__(self, classes: int, kinds: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Stem(48, 96), *row(96, "e--"), Mix(96, 192, (2, 1)), *row(192, "e-e-e-"), Mix(192, 384, (2, 1)), *row(384, "e-")
        )  # fmt: skip
        self.direct, self.narrow = nn.Conv2d(384, 120, 1), nn.Conv2d(384, 120, 1)
        self.along = nn.Conv2d(120, 120, (1, 7), padding=(0, 3), groups=120)
        self.blocks = nn.Sequential(Attend(120), Attend(120))
        self.norm = nn.LayerNorm(120, eps=1e-6)
        self.drop = nn.Dropout(0.1)
        self.letters, self.kind = nn.Linear(120, classes), nn.Linear(120, kinds)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.body((x - 0.5) / 0.5)
        x = nn.functional.avg_pool2d(x, (3, 2))
        silu = nn.functional.silu
        direct, narrow = silu(self.direct(x)), silu(self.narrow(x))
        steps = (narrow + silu(self.along(narrow))).squeeze(2).transpose(1, 2)
        steps = self.norm(self.blocks(steps)) + direct.squeeze(2).transpose(1, 2)
        steps = self.drop(steps)
        return self.letters(steps), self.kind(steps.mean(1))

    @classmethod
    def pretrained(cls, classes: int, kinds: int) -> Recogniser:
        """With PP-OCR's weights; of its 18,710 letters the digits and the point are kept."""
        model, file = cls(classes, kinds), Weights("PP-OCRv6_rec_small.onnx")
        file.pour(model.body)
        for module in (model.direct, model.narrow, model.along):
            file.pour_normalised(module)
        for block in model.blocks:
            file.pour_attention(block)
        file.norm(model.norm)
        alphabet = ["", *file.alphabet]
        at = [alphabet.index(letter) for letter in ("", *"0123456789", ".")]
        weight, bias = file.linear()
        with torch.no_grad():
            model.letters.weight.copy_(weight[at])
            model.letters.bias.copy_(bias[at])
        return model


class Attend(nn.Module):
    """A transformer block of eight heads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(width, eps=1e-5), nn.LayerNorm(width, eps=1e-5)
        self.asked, self.told = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, c = x.shape
        q, k, v = self.asked(self.before(x)).reshape(n, t, 3, 8, c // 8).permute(2, 0, 3, 1, 4)
        seen = ((q * (c // 8) ** -0.5) @ k.transpose(2, 3)).softmax(3) @ v
        x = x + self.told(seen.transpose(1, 2).reshape(n, t, c))
        return x + self.down(nn.functional.silu(self.up(self.after(x))))


class Pyramid(nn.Module):
    """PP-OCR's detector up to its fused map: N x 3 x H x W in 0..1, RGB → N x 96 x H/4 x W/4; H and W divide by 32."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            [
                nn.Sequential(Stem(24, 48), *row(48, "e-")),
                nn.Sequential(Mix(48, 96, (2, 2)), *row(96, "e-")),
                nn.Sequential(Mix(96, 192, (2, 2)), *row(192, "e-e-")),
                nn.Sequential(Mix(192, 384, (2, 2)), *row(384, "e-")),
            ]
        )
        self.narrow = nn.ModuleList([nn.Conv2d(c, 96, 1, bias=False) for c in (48, 96, 192, 384)])
        self.narrow_excite = nn.ModuleList([Excite(96, 0.2) for _ in range(4)])
        self.smooth = nn.ModuleList([nn.Conv2d(96, 96, 7, 1, 3, groups=96) for _ in range(4)])
        self.quarter = nn.ModuleList([nn.Conv2d(96, 24, 1, bias=False) for _ in range(4)])
        self.quarter_excite = nn.ModuleList([Excite(24, 0.2) for _ in range(4)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - 0.5) / 0.5
        seen = []
        for level, narrow, excite in zip(self.levels, self.narrow, self.narrow_excite, strict=True):
            x = level(x)
            held = narrow(x)
            seen.append(held + excite(held))
        for index in (2, 1, 0):
            seen[index] = seen[index] + nn.functional.interpolate(
                seen[index + 1], scale_factor=2.0, mode="nearest"
            )
        fused = []
        for index in (3, 2, 1, 0):
            held = self.quarter[index](self.smooth[index](seen[index]))
            held = held + self.quarter_excite[index](held)
            if index:
                held = nn.functional.interpolate(held, scale_factor=float(2**index), mode="nearest")
            fused.append(held)
        return torch.cat(fused, 1)

    @classmethod
    def pretrained(cls) -> Pyramid:
        model, file = cls(), Weights("PP-OCRv6_det_small.onnx")
        for level in model.levels:
            file.pour(level)
        for index in (3, 2, 1, 0):
            file.pour(model.narrow[index])
            file.pour(model.narrow_excite[index])
        for index in (3, 2, 1, 0):
            file.pour(model.smooth[index])
            file.pour(model.quarter[index])
            file.pour(model.quarter_excite[index])
        return model


class Weights:
    """A published network's weights in the order in which it uses them."""

    def __init__(self, name: str) -> None:
        model = onnx.load(str(MODELS / name))
        held = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
        held |= {
            n.output[0]: torch.from_numpy(numpy_helper.to_array(n.attribute[0].t).copy())
            for n in model.graph.node
            if n.op_type == "Constant"
        }
        for node in model.graph.node:
            if node.op_type == "Identity" and node.input[0] in held:
                held[node.output[0]] = held[node.input[0]]
        self.held = held
        self.nodes = [n for n in model.graph.node if n.op_type != "Identity"]
        self.alphabet = next((p.value.splitlines() for p in model.metadata_props if p.key == "character"), [])
        self.convolutions: Iterator[int] = iter([i for i, n in enumerate(self.nodes) if n.op_type == "Conv"])
        self.products = iter(
            [i for i, n in enumerate(self.nodes) if n.op_type == "MatMul" and n.input[1] in held]
        )
        self.norms = iter(
            [i for i, n in enumerate(self.nodes) if n.op_type == "Mul" and self.nodes[i - 1].op_type == "Div"
             and n.input[1] in held and held[n.input[1]].numel() > 1]
        )  # fmt: skip

    def _bias(self, index: int) -> torch.Tensor | None:
        after = self.nodes[index + 1] if index + 1 < len(self.nodes) else None
        if after is None or after.op_type != "Add" or after.input[0] != self._out(index):
            return None
        return self.held.get(after.input[1])

    def _out(self, index: int) -> str:
        return self.nodes[index].output[0]

    def _convolution(self, module: nn.Conv2d) -> int:
        index = next(self.convolutions)
        weight = self.held[self.nodes[index].input[1]]
        if weight.shape != module.weight.shape:
            raise ValueError(
                f"{self.nodes[index].input[1]} is {tuple(weight.shape)}, not {tuple(module.weight.shape)}"
            )
        if weight.shape[1] == 3 and module.groups == 1:
            weight = weight.flip(1)  # published for BGR
        with torch.no_grad():
            module.weight.copy_(weight)
        return index

    def pour(self, module: nn.Module) -> None:
        """Into every convolution of `module`, in the order of its parts."""
        for part in module.modules():
            if isinstance(part, nn.Conv2d):
                bias = self._bias(self._convolution(part))
                if (bias is None) != (part.bias is None):
                    raise ValueError("a bias is missing or too many")
                if bias is not None:
                    with torch.no_grad():
                        part.bias.copy_(bias.flatten())

    def pour_normalised(self, module: nn.Conv2d) -> None:
        """A convolution with its batch normalisation, folded into it."""
        node = self.nodes[self._convolution(module) + 1]
        scale, shift, mean, variance = (self.held[name] for name in node.input[1:5])
        factor = scale / torch.sqrt(variance + 1e-5)
        with torch.no_grad():
            module.weight.mul_(factor[:, None, None, None])
            module.bias.copy_(shift - mean * factor)

    def linear(self) -> tuple[torch.Tensor, torch.Tensor]:
        index = next(self.products)
        return self.held[self.nodes[index].input[1]].T, self.held[self.nodes[index + 1].input[1]]

    def norm(self, module: nn.LayerNorm) -> None:
        index = next(self.norms)
        with torch.no_grad():
            module.weight.copy_(self.held[self.nodes[index].input[1]])
            module.bias.copy_(self.held[self.nodes[index + 1].input[1]])

    def pour_attention(self, block: Attend) -> None:
        self.norm(block.before)
        self.norm(block.after)
        for module in (block.asked, block.told, block.up, block.down):
            weight, bias = self.linear()
            with torch.no_grad():
                module.weight.copy_(weight)
                module.bias.copy_(bias)


def main() -> None:
    """The recogniser (not the detector) against the published file: they must say the same of a picture of noise."""
    import onnxruntime

    torch.manual_seed(0)
    x = torch.rand(1, 3, 48, 256)
    alphabet = ["", *Weights("PP-OCRv6_rec_small.onnx").alphabet]
    at = [alphabet.index(letter) for letter in ("", *"0123456789", ".")]
    session = onnxruntime.InferenceSession(str(MODELS / "PP-OCRv6_rec_small.onnx"))
    published = session.run(None, {"x": (x.numpy()[:, ::-1] - 0.5) / 0.5})[0][0][:, at]
    with torch.no_grad():
        ours = Recogniser.pretrained(12, 4).eval()(x)[0][0].softmax(1).numpy()
    shares = published / published.sum(1, keepdims=True)
    print("recogniser: greatest difference of a probability", abs(shares - ours).max())


if __name__ == "__main__":
    main()
