"""One proxy for the whole run, one counter and one client for each test."""

import openai
import pytest

from proxies import Counter, Waypost


@pytest.fixture(scope="session")
def waypost(tmp_path_factory):
    proxy = Waypost(tmp_path_factory.mktemp("waypost"))
    yield proxy
    proxy.stop()


@pytest.fixture
def counter(waypost):
    counter = Counter(waypost.port)
    yield counter
    counter.close()


@pytest.fixture
def key(request):
    """A key of the test's own: what Waypost remembers of turns is kept apart by it."""
    return request.node.nodeid.encode().hex()


@pytest.fixture
def client(counter, key):
    """The SDK as everybody uses it: its own retries are on."""
    with openai.OpenAI(base_url=counter.base_url, api_key=key) as client:
        yield client
