"""A Python client, generated from proto/ alone, talks to a running server and a simulated agent.

Starts `parloir serve` and `parloir simulate` from files that it writes into a temporary folder, leads a conversation,
disconnects, goes on, resumes after its cursor, and shares a named subscription. Prints "N passed, N failed"; the exit
code says the same.
"""

import contextlib
import importlib
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import grpc
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "debug" / "parloir"
BOT = "65f0c1a2b3d4e5f60718293a"
KEY = "2f7c0d7be0a94d5f8a6f"
ACCOUNT = "demo"
CONVERSATION = "order-1009"
# What the simulated agent says.
DIALOGUES = """
welcome = "Welcome to the mug shop!"

[[dialogue]]
name = "order"
words = ["order"]
[[dialogue.step]]
reply = "It left our depot this morning."

[[dialogue]]
name = "anything else"
default = true
[[dialogue.step]]
reply = "I see."
"""
# More than a slow machine needs for any one step; a step that hangs fails instead.
PATIENCE = 20


def main():
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = Client(generate(folder), start(folder, stack))
        steps = [
            starts_a_conversation,
            sends_a_message_and_receives_the_answer_on_the_stream,
            resumes_after_its_cursor_and_misses_nothing,
            repeats_a_call_without_doing_it_twice,
            is_told_which_field_is_wrong,
            acknowledges_as_a_member_and_another_gets_the_rest,
        ]
        failed = 0
        for step in steps:
            try:
                step(client)
                print(f"test {step.__name__} ... ok")
            except Exception as error:  # pylint: disable=broad-except
                failed += 1
                print(f"test {step.__name__} ... FAILED: {type(error).__name__}: {error}")
        if failed:
            print((folder / "serve.log").read_text()[-4000:])
        print(f"{len(steps) - failed} passed, {failed} failed")
    return 1 if failed else 0


# The steps, in their order: each goes on where the one before ended.


def starts_a_conversation(client):
    request = client.types.StartConversationRequest(
        account=ACCOUNT, conversation_id=CONVERSATION, command_id="start-1"
    )
    answer = client.calls.StartConversation(request, timeout=PATIENCE)
    assert answer.conversation.conversation_id == CONVERSATION, answer
    assert not answer.resumed, answer
    assert answer.cursor, answer


def sends_a_message_and_receives_the_answer_on_the_stream(client):
    with client.follow(position="START_POSITION_EARLIEST") as events:
        client.say("message-1", "Where is my order?")
        for delivered in events:
            client.saw(delivered)
            if client.answered("message-1"):
                return
    raise AssertionError("the stream ended before the agent's answer")


def resumes_after_its_cursor_and_misses_nothing(client):
    before = list(client.seen)
    # Nobody is connected now.
    client.say("message-2", "And when will it come?")
    client.say("message-3", "Thank you!")
    with client.follow(after_cursor=client.cursor) as events:
        for delivered in events:
            client.saw(delivered)
            if client.answered("message-3"):
                break
    sequences = [event.sequence for event in client.seen]
    assert sequences == list(range(1, len(sequences) + 1)), f"missed or repeated: {sequences}"
    assert len({event.event_id for event in client.seen}) == len(sequences)
    assert client.seen[: len(before)] == before
    # The log itself agrees, up to where the stream was left.
    request = client.types.ListEventsRequest(account=ACCOUNT, conversation_id=CONVERSATION)
    listed = client.calls.ListEvents(request, timeout=PATIENCE)
    ids = [delivered.event.event_id for delivered in listed.events]
    assert ids[: len(sequences)] == [event.event_id for event in client.seen]


def repeats_a_call_without_doing_it_twice(client):
    first = client.say("message-4", "One more thing.")
    again = client.say("message-4", "One more thing.")
    assert first.cursor == again.cursor, (first, again)
    try:
        client.say("message-4", "Something else.")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.ALREADY_EXISTS, error
    else:
        raise AssertionError("one key stood for two messages")


def is_told_which_field_is_wrong(client):
    try:
        client.say("message-5", "   ")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        # google.rpc.BadRequest names the field; without its generated type its bytes still hold the path.
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]
        assert b"google.rpc.BadRequest" in details and b"text" in details, details
    else:
        raise AssertionError("a blank message was accepted")


def acknowledges_as_a_member_and_another_gets_the_rest(client):
    request = client.types.SubscribeEventsRequest(
        subscription="python", member_id="one", position="START_POSITION_EARLIEST", filter=client.agent_messages()
    )
    stream = client.calls.SubscribeEvents(request, timeout=PATIENCE)
    started = next(stream).started
    assert started.named.subscription == "python" and started.named.member_id == "one", started
    events = (message.event for message in stream if message.HasField("event"))
    first, second = next(events), next(events)
    assert first.event.sequence < second.event.sequence, (first, second)
    assert (first.attempt, second.attempt) == (1, 1), (first, second)
    assert client.acknowledge(first) == ["ACK_RESULT_OK"]
    assert client.acknowledge(first) == ["ACK_RESULT_DONE_BEFORE"]
    # This member goes away with the second event in its hands.
    stream.cancel()
    request = client.types.PullEventsRequest(subscription="python", member_id="two", max_events=1)
    pulled = client.calls.PullEvents(request, timeout=PATIENCE).events
    assert [delivered.event.event_id for delivered in pulled] == [second.event.event_id], pulled
    assert pulled[0].attempt == 2, pulled
    assert client.acknowledge(second) == ["ACK_RESULT_STALE"]
    assert client.acknowledge(pulled[0]) == ["ACK_RESULT_OK"]


class Client:
    """The generated client, and what it has seen so far."""

    def __init__(self, generated, target):
        self.types, services = generated
        # A proxy of the surroundings has no business between two local processes.
        channel = grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)])
        self.calls = services.ConversationServiceStub(channel)
        self.seen = []
        self.cursor = ""

    def say(self, message_id, text):
        request = self.types.SendMessageRequest(
            account=ACCOUNT, conversation_id=CONVERSATION, message_id=message_id, text=text
        )
        return self.calls.SendMessage(request, timeout=PATIENCE)

    @contextlib.contextmanager
    def follow(self, **begin):
        """The conversation's events; the stream is cancelled at the end, as by a client that goes away."""
        request = self.types.SubscribeEventsRequest(**begin)
        request.filter.accounts.append(ACCOUNT)
        request.filter.conversation_ids.append(CONVERSATION)
        stream = self.calls.SubscribeEvents(request, timeout=PATIENCE)
        first = next(stream)
        assert first.HasField("started"), first
        try:
            yield (message.event for message in stream if message.HasField("event"))
        finally:
            stream.cancel()

    def agent_messages(self):
        """A filter: what the agent says in the conversation."""
        return self.types.EventFilter(
            accounts=[ACCOUNT], conversation_ids=[CONVERSATION], kinds=["EVENT_KIND_AGENT_MESSAGE"]
        )

    def acknowledge(self, delivered):
        acks = [self.types.EventAck(ack_id=delivered.ack_id, done=self.types.EventDone())]
        request = self.types.AckEventsRequest(subscription="python", acks=acks)
        results = self.calls.AckEvents(request, timeout=PATIENCE).results
        return [self.types.AckResult.Name(result) for result in results]

    def saw(self, delivered):
        self.seen.append(delivered.event)
        self.cursor = delivered.cursor

    def answered(self, message_id):
        """Whether the agent spoke after this message."""
        asked = False
        for event in self.seen:
            asked = asked or event.visitor_message.message_id == message_id
            if asked and event.HasField("agent_message"):
                return True
        return False


def generate(folder):
    """Generates the client from proto/ and nothing else, and imports it."""
    out = folder / "generated"
    out.mkdir()
    proto = ROOT / "proto"
    well_known = pathlib.Path(protoc.__file__).parent / "_proto"
    files = [str(path) for path in sorted(proto.rglob("*.proto"))]
    words = ["protoc", f"-I{proto}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", *files]
    assert protoc.main(words) == 0, "protoc failed"
    sys.path.insert(0, str(out))
    messages = importlib.import_module("parloir.v1.conversation_service_pb2")
    services = importlib.import_module("parloir.v1.conversation_service_pb2_grpc")
    return messages, services


def start(folder, stack):
    """Starts the simulated agent and the server; answers where the server listens for callers."""
    callers, webhooks, operators, platform = (free_address() for _ in range(4))
    (folder / "api-key").write_text(KEY)
    (folder / "parloir.toml").write_text(
        f"""
grpc.listen = "{callers}"
webhooks.listen = "{webhooks}"
ops.listen = "{operators}"
database.url = "sqlite:{folder}/parloir.db"

[[agents]]
name = "shop"
[agents.platform.zendesk]
bot_id = "{BOT}"
base_url = "http://{platform}"
api_key = {{ file = "{folder}/api-key" }}

[[accounts]]
name = "{ACCOUNT}"
agent = "shop"
"""
    )
    (folder / "dialogues.toml").write_text(DIALOGUES)
    webhook_url = f"http://{webhooks}/webhooks/shop"
    run(
        *(folder, stack, "simulate", "--listen", platform, "--bot-id", BOT, "--key", KEY),
        *("--webhook-url", webhook_url, "--script", str(folder / "dialogues.toml")),
    )
    run(folder, stack, "serve", "--config", str(folder / "parloir.toml"))
    for address in (platform, callers, webhooks):
        wait_for(address)
    return callers


def run(folder, stack, verb, *arguments):
    log = stack.enter_context(open(folder / f"{verb}.log", "wb"))
    process = subprocess.Popen([BINARY, verb, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return "127.0.0.1:{}".format(listener.getsockname()[1])


def wait_for(address):
    host, port = address.split(":")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
