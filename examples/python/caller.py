"""How bangban is called: the channel, the token, deadlines, and what a refusal says."""

import time
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# Seconds that a call may take.
DEADLINE = 30

# How often a call is made while the answer is "not now", or was lost.
ATTEMPTS = 5

# Nothing was done, or nobody knows whether it was: the same request, with the same request id, may be sent again.
AGAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}


def channel(address, ca=None, certificate=None, key=None, name=None):
    """Plain text, or TLS where a CA file is given: with a certificate of one's own, and another name for the server."""
    if not ca:
        return grpc.insecure_channel(address)
    read = lambda file: Path(file).read_bytes() if file else None
    credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(certificate))
    options = [("grpc.ssl_target_name_override", name)] if name else []
    return grpc.secure_channel(address, credentials, options)


class Refusal(Exception):
    """What the platform says when it does not do what was asked."""

    def __init__(self, error):
        self.code = error.code()
        self.reason = self.requirement = self.zh = ""
        self.en = error.details()
        self.fields = []
        self.retry_after = 0.0
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            self._read(detail)
        cited = f" ({self.requirement})" if self.requirement else ""
        sentences = " / ".join(s for s in (self.zh, self.en) if s)
        super().__init__(f"{self.reason or self.code.name}{cited}: {sentences}")

    def _read(self, detail):
        info = error_details_pb2.ErrorInfo()
        said = error_details_pb2.LocalizedMessage()
        wrong = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            self.reason = info.reason
            self.requirement = info.metadata.get("requirement", "")
        elif detail.Unpack(said):
            if said.locale == "zh-CN":
                self.zh = said.message
            else:
                self.en = said.message
        elif detail.Unpack(wrong):
            self.fields = [(v.field, v.description) for v in wrong.field_violations]
        elif detail.Unpack(retry):
            self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


class Caller:
    """Somebody with a token, or the public without one."""

    def __init__(self, token=None):
        self.metadata = [("authorization", f"Bearer {token}")] if token else []

    def ask(self, method, request):
        """The answer, or a Refusal. What may be repeated is, unchanged."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return method(request, metadata=self.metadata, timeout=DEADLINE)
            except grpc.RpcError as error:
                refusal = Refusal(error)
                if refusal.code not in AGAIN or attempt == ATTEMPTS:
                    raise refusal from None
                time.sleep(refusal.retry_after or 0.1 * 2**attempt)

    def read(self, method, request):
        """A stream of answers: never repeated from here, and without a deadline."""
        try:
            yield from method(request, metadata=self.metadata)
        except grpc.RpcError as error:
            raise Refusal(error) from None
