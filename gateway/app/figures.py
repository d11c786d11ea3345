"""What the rooms count, under the names that `docs/operations.md` explains."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, get_args

from gateway.collect.poller import Poller
from gateway.journal.space import Alarm
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.ops.heart import Heart
from gateway.ops.metrics import Kind, Metric
from gateway.ops.usage import usage
from gateway.publish.pump import CURSOR

if TYPE_CHECKING:
    from gateway.app.collector import Collector
    from gateway.historian.historian import Historian

LINK = "link"
LINK_UP = Kind("millgate_link_up", "gauge", "1 while the link answers.", LINK)
LINK_READ_AGE = Kind(
    "millgate_link_last_reply_age_seconds", "gauge", "Time since the last good reply.", LINK
)
LINK_RTT = Kind("millgate_link_round_trip_seconds", "gauge", "How long the last reply took.", LINK)
LINK_READS = Kind("millgate_link_replies_total", "counter", "Good replies.", LINK)
LINK_OUTAGES = Kind("millgate_link_outages_total", "counter", "Times it stopped answering.", LINK)
FAILED: Mapping[str, Kind] = {
    "Unreachable": Kind(
        "millgate_link_unreachable_total", "counter", "Tries that met no answer in time.", LINK
    ),
    "BadReply": Kind(
        "millgate_link_bad_replies_total",
        "counter",
        "Replies thrown away: malformed, short, late or somebody else's.",
        LINK,
    ),
    "Rejected": Kind(
        "millgate_link_rejections_total", "counter", "Replies in which the device said no.", LINK
    ),
    "Misconfigured": Kind(
        "millgate_link_misconfigured_total", "counter", "Tries that a setting made futile.", LINK
    ),
    "Defect": Kind(
        "millgate_link_defects_total", "counter", "Times the link was restarted by its guard.", LINK
    ),
}
"""How a try ended, as `LinkStats.failed` has it."""

JOURNAL_BYTES = Kind(
    "millgate_journal_bytes", "gauge", "Size of the journal's files on the disk.", "file"
)
JOURNAL_ROWS = Kind("millgate_journal_rows", "gauge", "Events the journal holds.")
JOURNAL_SEQ = Kind("millgate_journal_events_total", "counter", "Events ever committed: the seq.")
JOURNAL_COMMIT = Kind(
    "millgate_journal_commit_seconds", "histogram", "How long a transaction took, fsync included."
)

JOURNAL_LOST = Kind(
    "millgate_journal_dropped_total",
    "counter",
    "Events deleted before every consumer had them; gap events name them.",
)
JOURNAL_MERGED = Kind(
    "millgate_journal_merged_total",
    "counter",
    "Counts whose parts went into a later one for want of room; gap events name them.",
)
JOURNAL_ALARM = Kind(
    "millgate_journal_alarm", "gauge", "1 while this is wrong with its space.", "alarm"
)
DISK_FREE = Kind("millgate_journal_disk_free_bytes", "gauge", "Free on the journal's disk.")
CLOCK_TRUSTED = Kind("millgate_clock_trusted", "gauge", "1 while the wall clock can be believed.")
CLOCK_STEPS = Kind("millgate_clock_steps_total", "counter", "Times the wall clock was set.")
CLOCK_STEP = Kind(
    "millgate_clock_last_step_seconds", "gauge", "By how much, the last time; forward is positive."
)

PUBLISH_UP = Kind("millgate_publish_connected", "gauge", "1 while the broker is connected.")
PUBLISH_BACKLOG = Kind(
    "millgate_publish_backlog_rows", "gauge", "Events committed and not yet confirmed."
)
PUBLISHED = Kind(
    "millgate_publish_confirmed_total", "counter", "Events the broker confirmed, repeats included."
)
PUBLISH_REFUSED = Kind(
    "millgate_publish_refused_total", "counter", "Messages the broker refused, each time."
)
PUBLISH_HELD = Kind(
    "millgate_publish_held", "gauge", "1 while a refused event holds up what is behind it."
)
REPLAYED = Kind("millgate_publish_replayed_total", "counter", "Events sent again when asked.")
PUBLISH_DEAD = Kind(
    "millgate_publish_dead_letters_total", "counter", "Events set aside: no broker takes them."
)
TAKEN_OVER = Kind(
    "millgate_publish_taken_over_total", "counter", "Sessions a namesake at the broker ended."
)
KEPT_OUT = Kind(
    "millgate_publish_commands_kept_out_total", "counter", "Commands that were too many."
)
ON_STANDBY = Kind("millgate_publish_on_standby", "gauge", "1 with a broker that is not the first.")
RECONNECTS = Kind("millgate_publish_reconnects_total", "counter", "Sessions after the first.")

PUSH_UP = Kind("millgate_push_connected", "gauge", "1 while the target takes events.", "target")
PUSH_BACKLOG = Kind(
    "millgate_push_backlog_rows", "gauge", "Rows committed and not yet passed.", "target"
)
PUSHED = Kind("millgate_push_events_total", "counter", "Events the target took.", "target")
PUSH_REQUESTS = Kind("millgate_push_requests_total", "counter", "Requests sent.", "target")
PUSH_FAILURES = Kind(
    "millgate_push_failures_total", "counter", "Requests not taken, for whatever reason.", "target"
)
PUSH_DEAD = Kind(
    "millgate_push_dead_letters_total", "counter", "Events set aside: refused alone.", "target"
)

HISTORIAN_UP = Kind("millgate_historian_connected", "gauge", "1 while the broker is connected.")
HISTORIAN_MESSAGES = Kind("millgate_historian_messages_total", "counter", "Messages taken in.")
HISTORIAN_EVENTS = Kind(
    "millgate_historian_events_written_total", "counter", "Events stored, repeats included."
)
HISTORIAN_DEAD = Kind(
    "millgate_historian_dead_letters_total", "counter", "Messages that could not be stored."
)
HISTORIAN_LOST = Kind(
    "millgate_historian_losses_total", "counter", "Holes written off: nobody has these events."
)
HISTORIAN_ASKED = Kind(
    "millgate_historian_replays_asked_total", "counter", "Times events were asked for again."
)
HISTORIAN_OUTAGES = Kind(
    "millgate_historian_store_outages_total", "counter", "Times the store of record was away."
)
HISTORIAN_AWAY = Kind(
    "millgate_historian_store_away_seconds", "gauge", "Since when the store of record is away."
)
HISTORIAN_LAG = Kind(
    "millgate_historian_lag_seconds",
    "gauge",
    "Time from the commit at the gateway to the commit in the store, of the newest live event.",
)
CHART_POINTS = Kind(
    "millgate_historian_points_written_total", "counter", "Points a chart store took.", "store"
)
CHART_REFUSED = Kind(
    "millgate_historian_points_refused_total", "counter", "Points it refused.", "store"
)
CHART_UP = Kind("millgate_historian_chart_store_up", "gauge", "1 while it takes points.", "store")
HISTORIAN_HOLES = Kind("millgate_historian_holes", "gauge", "Known holes not filled yet.")

BUILD = Kind("millgate_build_info", "gauge", "Always 1; the label says the version.", "version")
LOOP_LATE = Kind(
    "millgate_loop_lag_seconds", "histogram", "How late the event loop came to what was due."
)
LOOP_BLOCKED = Kind(
    "millgate_loop_blocked_total", "counter", "Times the event loop stood still for over 1 s."
)
CPU = Kind("millgate_process_cpu_seconds_total", "counter", "Processor time used.")
RSS = Kind("millgate_process_resident_memory_bytes", "gauge", "Memory in use.")
FDS = Kind("millgate_process_open_fds", "gauge", "File descriptors in use.")
MAX_FDS = Kind("millgate_process_max_fds", "gauge", "File descriptors allowed.")

KINDS: tuple[Kind, ...] = tuple(
    kind for name, kind in sorted(globals().items()) if isinstance(kind, Kind)
) + tuple(FAILED.values())
"""All of them, for the page that explains them."""

Gather = Callable[[], Iterable[Metric]]


def of_process(heart: Heart) -> Iterator[Metric]:
    """Return what every service tells."""
    yield Metric(BUILD, {version("millgate"): 1})
    yield Metric(LOOP_LATE, {"": heart.late.histogram()})
    yield _one(LOOP_BLOCKED, heart.blocked)
    now = usage()
    yield _one(CPU, now.cpu_s)
    yield _one(RSS, now.rss_bytes)
    yield _one(FDS, now.open_fds)
    yield _one(MAX_FDS, now.max_fds)


def of_collector(collector: "Collector") -> Iterator[Metric]:
    """Return what collecting, keeping and publishing tell."""
    yield from _of_links(collector.pollers)
    yield from _of_journal(collector)
    yield from _of_clock(collector)
    yield from _of_publisher(collector)
    yield from _of_push(collector)


def _of_links(pollers: Iterable[Poller]) -> Iterator[Metric]:
    stats = {poller.link: poller.stats for poller in pollers}
    now_s = SYSTEM_CLOCK.mono_s()
    yield Metric(LINK_UP, {link: one.online for link, one in stats.items()})
    yield Metric(
        LINK_READ_AGE,
        {
            link: max(0.0, now_s - one.read_mono_s)
            for link, one in stats.items()
            if one.read_mono_s is not None
        },
    )
    yield Metric(
        LINK_RTT, {link: one.rtt_s for link, one in stats.items() if one.rtt_s is not None}
    )
    yield Metric(LINK_READS, {link: one.reads for link, one in stats.items()})
    yield Metric(LINK_OUTAGES, {link: one.outages for link, one in stats.items()})
    for ending, kind in FAILED.items():
        yield Metric(kind, {link: one.failed[ending] for link, one in stats.items()})


def _of_journal(collector: "Collector") -> Iterator[Metric]:
    journal = collector.journal
    path = collector.site.path(collector.site.gateway.journal.path)
    files = {
        "journal": path,
        "wal": path.with_name(f"{path.name}-wal"),
        "ballast": path.with_name(f"{path.name}.ballast"),
    }
    sizes = {name: file.stat().st_size for name, file in files.items() if file.exists()}
    yield Metric(JOURNAL_BYTES, sizes)
    yield _one(JOURNAL_ROWS, journal.head() - journal.first_seq() + 1)
    yield _one(JOURNAL_SEQ, journal.head())
    yield Metric(JOURNAL_COMMIT, {"": journal.pulse().commits})
    room = journal.standing()
    yield _one(JOURNAL_LOST, room.lost)
    yield _one(JOURNAL_MERGED, room.merged)
    yield _one(DISK_FREE, room.free_bytes)
    yield Metric(JOURNAL_ALARM, {alarm: room.alarm == alarm for alarm in get_args(Alarm)})


def _of_clock(collector: "Collector") -> Iterator[Metric]:
    deriver = collector.deriver
    yield _one(CLOCK_TRUSTED, deriver.clock_is_trusted)
    yield _one(CLOCK_STEPS, deriver.clock_steps)
    yield _one(CLOCK_STEP, deriver.last_step_ms / 1000)


def _of_publisher(collector: "Collector") -> Iterator[Metric]:
    counts, journal = collector.publisher.stats(), collector.journal
    yield _one(PUBLISH_UP, counts.online)
    yield _one(PUBLISH_BACKLOG, max(0, journal.head() - journal.cursor(CURSOR)))
    yield _one(PUBLISHED, counts.published)
    yield _one(PUBLISH_REFUSED, counts.refused)
    yield _one(PUBLISH_HELD, counts.held is not None)
    yield _one(PUBLISH_DEAD, counts.dead_letters)
    yield _one(TAKEN_OVER, counts.taken_over)
    yield _one(KEPT_OUT, counts.kept_out)
    yield _one(ON_STANDBY, counts.on_standby)
    yield _one(REPLAYED, counts.replayed)
    yield _one(RECONNECTS, counts.reconnects)


def _of_push(collector: "Collector") -> Iterator[Metric]:
    couriers = collector.pushing.couriers
    stats = {courier.target.name: courier.stats for courier in couriers}
    yield Metric(PUSH_UP, {name: one.online for name, one in stats.items()})
    yield Metric(PUSH_BACKLOG, {one.target.name: one.backlog for one in couriers})
    yield Metric(PUSHED, {name: one.events for name, one in stats.items()})
    yield Metric(PUSH_REQUESTS, {name: one.requests for name, one in stats.items()})
    yield Metric(PUSH_FAILURES, {name: one.failures for name, one in stats.items()})
    yield Metric(PUSH_DEAD, {name: one.dead_letters for name, one in stats.items()})


def of_historian(historian: "Historian") -> Iterator[Metric]:
    """Return what the historian tells."""
    stats = historian.stats()
    yield _one(HISTORIAN_UP, stats.connected)
    yield _one(HISTORIAN_MESSAGES, stats.messages)
    yield _one(HISTORIAN_EVENTS, stats.events_written)
    yield _one(HISTORIAN_DEAD, stats.dead_letters)
    yield _one(HISTORIAN_LOST, stats.losses)
    yield _one(HISTORIAN_ASKED, stats.replays_asked)
    yield _one(HISTORIAN_OUTAGES, stats.store_outages)
    yield _one(HISTORIAN_AWAY, stats.store_away_s)
    yield _one(HISTORIAN_LAG, stats.lag_s)
    charts = stats.charts.items()
    yield Metric(CHART_POINTS, {store: one.points for store, one in charts})
    yield Metric(CHART_REFUSED, {store: one.refused for store, one in charts})
    yield Metric(CHART_UP, {store: not one.is_away for store, one in charts})
    yield _one(HISTORIAN_HOLES, stats.holes)


def _one(kind: Kind, value: float | None) -> Metric:
    return Metric(kind, {} if value is None else {"": value})
