"""Bodies that other services wrap or encode are named as what they are, with the remedy."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from stillframe.errors import MAX_MESSAGE_CHARS, UnparsableBody
from stillframe.request.capture_request import CaptureRequest
from tests.support.events import event_of

REQUEST = {"url": "https://example.com/", "requestId": "a"}
BODY = json.dumps(REQUEST)
NOTIFICATION = {
    "Type": "Notification",
    "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
    "Subject": "My First Message",
    "Message": BODY,
    "Timestamp": "2012-05-02T00:54:06.655Z",
    "SignatureVersion": "1",
    "Signature": "EXAMPLEw6JRN...",
    "UnsubscribeURL": "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe",
}
EVENT = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "111122223333",
    "time": "2017-12-22T18:43:48Z",
    "region": "us-west-1",
    "resources": [],
    "detail": REQUEST,
}
S3_EVENT = {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}]}
S3_TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b", "RequestId": "r", "HostId": "h"}
DESTINATION = {"version": "1.0", "requestContext": {"condition": "Success"}, "requestPayload": REQUEST}
HTTP_EVENT = {"version": "2.0", "routeKey": "POST /", "requestContext": {}, "body": BODY, "isBase64Encoded": False}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (NOTIFICATION, ["SNS notification", "raw message delivery"]),
        ({**NOTIFICATION, "Type": "SubscriptionConfirmation"}, ["SNS", "confirm"]),
        # SNS in front of a queue that EventBridge or S3 writes to: the outer wrapper is the one to remove first.
        ({**NOTIFICATION, "Message": json.dumps(S3_EVENT)}, ["SNS notification", "raw message delivery"]),
        (EVENT, ["EventBridge event", "input transformer", "$.detail"]),
        (S3_EVENT, ["S3 event notification", "request for each object"]),
        (S3_TEST, ["test event", "S3"]),
        (event_of(BODY), ["SQS passes to a function", "body of each record"]),
        ({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": BODY}}]}, ["SNS passes", "Sns.Message"]),
        ({"Records": [{"eventSource": "aws:kinesis"}]}, ["an event with records"]),
        (DESTINATION, ["Lambda destination"]),
        (HTTP_EVENT, ["API Gateway event", "$request.body"]),
        (BODY, ["encoded as JSON twice", "encode it once"]),
        (json.dumps(BODY), ["JSON object"]),
        ([REQUEST], ["list", "message of its own"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrapper_is_named_with_its_remedy(body: Any, words: list[str]) -> None:
    # Given / When a body that is JSON, but no request
    with pytest.raises(UnparsableBody) as refused:
        CaptureRequest.from_body(json.dumps(body))
    # Then the message says in one line what it is and what to do
    message = refused.value.message
    assert [word for word in words if word not in message] == []
    assert "\n" not in message
    assert len(message) < MAX_MESSAGE_CHARS


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (base64.b64encode(BODY.encode()).decode(), "base64"),
        (json.dumps(base64.b64encode(BODY.encode()).decode()), "base64"),
        (quote(BODY), "URL-encoded"),
        (quote(BODY).lower(), "URL-encoded"),
        # Nothing that is known: what JSON itself says.
        ("no request", "not JSON"),
        (base64.b64encode(b"no request").decode(), "not JSON"),
        ("%7Bno request", "not JSON"),
        ("", "not JSON"),
        ("5", "not a JSON object"),
        ('"https://example.com/"', "not a JSON object"),
    ],
)
def test_an_encoded_body_is_named_with_its_remedy(body: str, words: str) -> None:
    with pytest.raises(UnparsableBody, match=words):
        CaptureRequest.from_body(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"url": 5}, "url"),
        ({**REQUEST, "Records": []}, "Records"),
        ({**REQUEST, "Records": ["a"]}, "Records"),
        ({**REQUEST, "detail": {}}, "detail"),
        ({**REQUEST, "Type": "Notification"}, "Type"),
        ({**REQUEST, "TopicArn": "arn", "Type": None}, "TopicArn"),
        ({**REQUEST, "body": BODY}, "body"),
    ],
)
def test_a_request_with_a_mistake_is_no_wrapper(body: dict[str, Any], words: str) -> None:
    # Given a request with one field of a wrapper, then its own mistake is named
    with pytest.raises(UnparsableBody, match=words) as refused:
        CaptureRequest.from_body(json.dumps(body))
    assert "the body is" not in refused.value.message


def test_a_request_may_have_anything_of_a_wrapper_in_its_metadata() -> None:
    body = {**REQUEST, "metadata": {"Type": "Notification", "TopicArn": "arn", "detail-type": "x"}}
    assert CaptureRequest.from_body(json.dumps(body)).id == "a"
