"""The way from a host's request path to ingest: a journal, a queue, and a flusher."""

from __future__ import annotations

from nullspend_margins.recording.counters import RecordingCounters
from nullspend_margins.recording.events import EVENT, encode_event
from nullspend_margins.recording.recorder import Bounds, Recorder
from nullspend_margins.recording.storing import Recorded

__all__ = ["EVENT", "Bounds", "Recorded", "Recorder", "RecordingCounters", "encode_event"]
