"""The client over the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stillframe.client.base import Client, Sent
from stillframe.client.transport import Answer, ApiError, Transport
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record, Status

# What the service of API Gateway is called in a signature ("Control access to HTTP APIs with IAM authorization").
SERVICE = "execute-api"
# "one, or up to 100" in a list.
MAX_REQUESTS = 100


class ApiClient(Client):
    """Talks to the API at `url`, as the stack's output ApiUrl has it, or `stillframe serve`.

    `key` is an API key, or the token of a provider; with `region`, requests are signed with AWS credentials, the usual
    ones unless given. Every method raises ApiError: what failed for the moment was repeated before.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        region: str | None = None,
        credentials: Credentials | None = None,
        transport: Transport | None = None,
    ) -> None:
        super().__init__()
        self._url = url.rstrip("/")
        self._key = key
        self._region = region
        self._credentials = credentials
        self._transport = transport or Transport(self._sign)

    def send_request(self, request: CaptureRequest) -> Sent:
        answer = self._call("POST", "/v1/screenshots", request.to_wire())
        return _sent(answer.json())

    def send_all(self, requests: Sequence[CaptureRequest]) -> list[Sent | ApiError]:
        """Send many, a hundred in a call. Each is answered on its own: sent, or with the problem that it had."""
        answers: list[Sent | ApiError] = []
        for start in range(0, len(requests), MAX_REQUESTS):
            body = [request.to_wire() for request in requests[start : start + MAX_REQUESTS]]
            for item in self._call("POST", "/v1/screenshots", body).json()["items"]:
                answers.append(_sent(item["screenshot"]) if "screenshot" in item else _problem(item["problem"]))
        return answers

    def record(self, screenshot_id: str) -> Record:
        return Record.model_validate(self._call("GET", _path(screenshot_id)).json())

    def image(self, screenshot_id: str) -> bytes:
        return self._download(self._call("GET", f"{_path(screenshot_id)}/image"))

    def extra(self, screenshot_id: str, kind: str) -> bytes:
        return self._download(self._call("GET", f"{_path(screenshot_id)}/extras/{quote(kind, safe='')}"))

    def shot(self, screenshot_id: str, name: str) -> bytes:
        return self._download(self._call("GET", f"{_path(screenshot_id)}/shots/{quote(name, safe='')}"))

    def retry(self, screenshot_id: str) -> Sent:
        """Send the request of a screenshot that failed again."""
        return _sent(self._call("POST", f"{_path(screenshot_id)}/retry").json())

    def records(self, status: Status | None = None, since: str | None = None) -> Iterator[Record]:
        """Records in no order, page by page. `since` is a time in ISO 8601."""
        given = {"status": status.value if status else None, "since": since, "cursor": None}
        while True:
            query = urlencode({name: value for name, value in given.items() if value is not None})
            page = self._call("GET", f"/v1/screenshots{'?' if query else ''}{query}").json()
            yield from map(Record.model_validate, page["items"])
            given["cursor"] = page.get("cursor")
            if given["cursor"] is None:
                return

    def _call(self, method: str, path: str, body: object = None) -> Answer:
        return self._transport.call(method, f"{self._url}{path}", body)

    def _download(self, answer: Answer) -> bytes:
        return self._transport.download(answer.headers["Location"])

    def _sign(self, method: str, url: str, content: bytes, headers: Mapping[str, str]) -> Mapping[str, str]:
        if self._key is not None:
            return {"Authorization": f"Bearer {self._key}"}
        if self._region is None:
            return {}
        signed = AWSRequest(method, url, {**headers, "Host": urlsplit(url).netloc}, content)
        SigV4Auth(self._found_credentials(), SERVICE, self._region).add_auth(signed)
        return dict(signed.headers.items())

    def _found_credentials(self) -> Credentials:
        if self._credentials is None:
            import boto3

            self._credentials = boto3.session.Session().get_credentials()
            if self._credentials is None:
                raise ApiError(0, "", "there are no AWS credentials: log in with `aws sso login` or `aws configure`")
        return self._credentials


def _path(screenshot_id: str) -> str:
    return f"/v1/screenshots/{quote(screenshot_id, safe='')}"


def _sent(body: Mapping[str, str]) -> Sent:
    return Sent(body["id"], Status(body["status"]))


def _problem(body: Mapping[str, object]) -> ApiError:
    return ApiError(int(str(body["status"])), str(body["code"]), str(body["detail"]))
