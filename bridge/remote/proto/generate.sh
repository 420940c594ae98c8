#!/bin/sh
# Generates *_pb2.py and *_pb2.pyi from the .proto files; needs grpcio-tools.
set -eu
cd "$(dirname "$0")/../../.."
exec "${PYTHON:-.venv/bin/python}" -m grpc_tools.protoc --proto_path=. --python_out=. --pyi_out=. \
    bridge/remote/proto/types.proto bridge/remote/proto/remote.proto bridge/remote/proto/metrics.proto
