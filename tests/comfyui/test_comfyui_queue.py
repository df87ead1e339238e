"""What waits on a server, in the order in which it will run."""

from comfygen_mcp.comfyui.queue import read_queue


def test_waiting_prompts_are_sorted_because_the_server_lists_its_heap():
    heap = [[2, "second", {}], [7, "fourth", {}], [5, "third", {}], [-1, "first", {}]]
    queue = read_queue({"queue_running": [[1, "now", {}]], "queue_pending": heap})

    assert queue.running == ("now",)
    assert queue.pending == ("first", "second", "third", "fourth")
    assert [queue.ahead_of(name) for name in ("first", "third", "now")] == [1, 3, None]
