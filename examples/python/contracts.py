"""The stubs of bangban, made from the .proto files when this is imported: nothing generated is kept.

Who prefers files runs the same once by hand:
    python -m grpc_tools.protoc -I proto -I proto/third_party --python_out=OUT --grpc_python_out=OUT $(find proto -name '*.proto')
"""

import importlib
import os
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

# Where the .proto files are: in this repository, or where a copy of them was put.
PROTO = Path(os.environ.get("PROTO", Path(__file__).parents[2] / "proto"))


def _generate(out):
    roots = [PROTO, PROTO / "third_party", Path(grpc_tools.__file__).parent / "_proto"]
    files = [str(f.relative_to(root)) for root in roots[:2] for f in root.glob("b*/**/*.proto")]
    options = [f"-I{root}" for root in roots] + [f"--python_out={out}", f"--grpc_python_out={out}"]
    if not files or protoc.main(["protoc", *options, *sorted(set(files))]) != 0:
        raise SystemExit(f"no stubs can be made from {PROTO}: name the folder of the .proto files in PROTO")


def _load(name):
    """Messages and stubs of one file, under one name."""
    messages = importlib.import_module(f"bangban.{name}_pb2")
    stubs = importlib.import_module(f"bangban.{name}_pb2_grpc")
    return messages, stubs


with tempfile.TemporaryDirectory() as _out:
    _generate(_out)
    sys.path.insert(0, _out)
    casework, casework_stubs = _load("casework.v1.casework")
    case, _ = _load("casework.v1.case")
    applicant, applicant_stubs = _load("directory.v1.applicant")
    catalogue, catalogue_stubs = _load("directory.v1.catalogue")
    clock, clock_stubs = _load("clock.v1.clock")
    types, _ = _load("types.v1.types")
    sys.path.remove(_out)
