"""From trained files to plain arrays: the one place with torch; nothing is ever unpickled.

A ``.zip`` of stable-baselines3 holds pickles beside the weights: only ``policy.pth`` is read, with ``weights_only``.
A ``.pt`` is TorchScript: its parameters are read, its code is not run.
"""

import io
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.errors import ModelError

if TYPE_CHECKING:
    import torch

Arrays = dict[str, NDArray[Any]]
_MEMORY = ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0")


def arrays_of_zip(path: Path) -> Arrays:
    """``weights`` and ``sizes`` of the policy network in a stable-baselines3 file.

    Raises:
        ModelError: where it is no such file, or asks for more than plain tensors.
    """
    import torch

    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read("policy.pth")
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError) as error:
        raise ModelError(f"{path} is no stable-baselines3 file: {error}; train the model again") from None
    except Exception as error:  # noqa: BLE001 - torch names the error of a refused pickle differently by version
        raise ModelError(f"{path} was refused, since it asks for more than plain weights: {error}") from None
    return policy_arrays(state)


def arrays_of_script(path: Path) -> Arrays:
    """``weights``, ``sizes`` and ``hidden`` of the network in a TorchScript file.

    Raises:
        ModelError: where it is no such file.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # deprecated by its makers, and still what is exchanged
            state = torch.jit.load(str(path), map_location="cpu").state_dict()
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{path} is no TorchScript file: {error}; train the model again") from None
    return sequence_arrays(state)


def policy_arrays(state: Mapping[str, "torch.Tensor"]) -> Arrays:
    """The policy's layers behind one another; the value network is left out."""
    numbers = sorted({int(name.split(".")[2]) for name in state if name.startswith("mlp_extractor.policy_net.")})
    names = [f"mlp_extractor.policy_net.{number}" for number in numbers] + ["action_net"]
    return _layers(state, names)


def sequence_arrays(state: Mapping[str, "torch.Tensor"]) -> Arrays:
    """Memory cells first, then the layers of the head."""
    cells = [_plain(state[f"memory.{name}"]) for name in _MEMORY]
    flat = [cells[0].T.ravel(), cells[1], cells[2].T.ravel(), cells[3]]
    numbers = sorted({int(name.split(".")[1]) for name in state if name.startswith("head.")})
    head = _layers(state, [f"head.{number}" for number in numbers])
    return {
        "weights": np.concatenate([*flat, head["weights"]]).astype(np.float32),
        "sizes": head["sizes"],
        "hidden": np.array(cells[2].shape[1], np.int64),
    }


def _layers(state: Mapping[str, "torch.Tensor"], names: list[str]) -> Arrays:
    parts, sizes = [], []
    for name in names:
        weight, bias = _plain(state[f"{name}.weight"]), _plain(state[f"{name}.bias"])
        parts += [weight.T.ravel(), bias]
        sizes.append(len(bias))
    return {"weights": np.concatenate(parts).astype(np.float32), "sizes": np.array(sizes, np.int64)}


def _plain(tensor: "torch.Tensor") -> NDArray[np.float32]:
    plain: NDArray[np.float32] = tensor.detach().cpu().numpy().astype(np.float32)
    return plain
