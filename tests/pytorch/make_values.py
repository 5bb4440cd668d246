"""What PyTorch's optimizers and schedules give, written to values.json beside this file: `python make_values.py`, with PyTorch 2.13."""

import json
from pathlib import Path

import torch

RATES = [0.1, 0.05, 0.2, 0.01, 0.1, 0.03]
WEIGHTS = [0.5, -1.25, 2.0, 0.0, -0.75]
GRADIENTS = [[((7 * step + 3 * i) % 11 - 5) / 4 for i in range(len(WEIGHTS))] for step in range(len(RATES))]

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.8}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.8, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {"alpha": 0.9}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adadelta": (torch.optim.Adadelta, {"rho": 0.8}),
    "adam": (torch.optim.Adam, {"betas": (0.7, 0.9)}),
    "adamax": (torch.optim.Adamax, {"betas": (0.7, 0.9)}),
    "adamw": (torch.optim.AdamW, {"betas": (0.7, 0.9)}),
}


def steps(kind, settings, decay):
    """The weights after each step."""
    weights = torch.tensor(WEIGHTS, dtype=torch.float64, requires_grad=True)
    optimizer = kind([weights], lr=1.0, weight_decay=decay, **settings)
    found = []
    for rate, gradient in zip(RATES, GRADIENTS, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        weights.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        found.append(weights.tolist())
    return found


def one_cycle(steps, **settings):
    """The rate and the momentum of each step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, total_steps=steps, **settings)
    found = []
    for _ in range(steps):
        group = optimizer.param_groups[0]
        found.append([group["lr"], group["momentum"]])
        optimizer.step()
        if len(found) < steps:
            schedule.step()
    return {"steps": steps, "settings": settings, "found": found}


def defaults(kind):
    """The settings that PyTorch's optimizer has unless told otherwise."""
    group = kind([torch.zeros(1, requires_grad=True)]).param_groups[0]
    return {name: group[name] for name in ("lr", "weight_decay", "alpha", "rho", "betas", "eps") if name in group}


if __name__ == "__main__":
    momenta = {"base_momentum": 0.85, "max_momentum": 0.95}
    values = {
        "rates": RATES,
        "weights": WEIGHTS,
        "gradients": GRADIENTS,
        "steps": {name: {str(decay): steps(*how, decay) for decay in (0.0, 0.25)} for name, how in OPTIMIZERS.items()},
        "defaults": {name: defaults(kind) for name, (kind, _) in OPTIMIZERS.items()},
        "one-cycle": [
            one_cycle(10, max_lr=0.02, **momenta),
            one_cycle(23, max_lr=0.5, pct_start=0.2, div_factor=10.0, final_div_factor=100.0, base_momentum=0.6, max_momentum=0.7),
        ],
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in values.items()]
    Path(__file__).with_name("values.json").write_text("{" + ",\n".join(lines) + "}\n")
