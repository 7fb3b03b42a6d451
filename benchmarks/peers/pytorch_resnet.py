"""Times one training step of ResNet-18 (torchvision's layout, one output) in PyTorch, plain and regularized.

python3 pytorch_resnet.py [--threads 2] [--seconds 5] [--batch 8] [--size 64] [--channels 3] [--width 64] [--case plain|regularized]
Prints one JSON line a case: {"case", "ms_per_step", "steps", "threads", "torch"}.
A step is forward, backward and an SGD update with momentum; the regularized one adds the input-gradient-change
term with double backpropagation as the PyTorch scripts compute it. Needs only torch.
"""
import argparse, json, time
import torch
from torch import nn
import torch.nn.functional as F


def conv(inputs, outputs, size, stride):
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.downsample = None if same else nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(out + shortcut, inplace=True)


def resnet18(channels, width):
    layers = [conv(channels, width, 7, 2), nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    inputs = width
    for stage in range(4):
        outputs = width * 2**stage
        layers += [Block(inputs, outputs, 1 if stage == 0 else 2), Block(outputs, outputs, 1)]
        inputs = outputs
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def patch_gradient(model, x, patch):
    x = x.detach().requires_grad_()
    logits = model(x)
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    top, left, height, width = patch
    return logits, F.normalize(gradient[:, :, top : top + height, left : left + width].flatten(1), dim=1)


def regularization(model, x, half):
    size = x.shape[2]
    logits, before = patch_gradient(model, x, (0, 0, size, half))
    swapped = x.clone()
    swapped[:, :, :, half:] = x.roll(1, 0)[:, :, :, half:]
    _, after = patch_gradient(model, swapped, (0, 0, size, half))
    return logits, (before * after).sum(1).abs().mean()


def step_of(case, args):
    torch.manual_seed(0)
    model = resnet18(args.channels, args.width)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x = torch.randn(args.batch, args.channels, args.size, args.size)
    y = torch.randint(0, 2, (args.batch,)).float()

    def step():
        optimizer.zero_grad()
        if case == "plain":
            loss = F.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        else:
            logits, reg = regularization(model, x, args.size // 2)
            loss = F.binary_cross_entropy_with_logits(logits.squeeze(1), y) + 0.5 * reg
        loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--case", choices=["plain", "regularized"])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for case in [args.case] if args.case else ["plain", "regularized"]:
        step = step_of(case, args)
        for _ in range(3):
            step()
        steps, start = 0, time.perf_counter()
        while time.perf_counter() - start < args.seconds:
            step()
            steps += 1
        ms = (time.perf_counter() - start) / steps * 1000
        print(json.dumps({"case": case, "ms_per_step": ms, "steps": steps, "threads": args.threads, "torch": torch.__version__}), flush=True)
