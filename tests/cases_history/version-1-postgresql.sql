CREATE TABLE public.count_event (
    source text NOT NULL,
    id text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    equipment text NOT NULL,
    counter text NOT NULL,
    kind text NOT NULL,
    delta double precision NOT NULL,
    total double precision NOT NULL,
    raw double precision,
    unit text,
    anomaly text NOT NULL,
    refused double precision NOT NULL,
    window_from timestamp with time zone,
    "time" timestamp with time zone NOT NULL,
    hour_local text NOT NULL,
    day_local text NOT NULL,
    shift text,
    production_date text,
    order_no text,
    product text,
    batch text,
    origin text NOT NULL
);
CREATE TABLE public.equipment (
    source text NOT NULL,
    equipment text NOT NULL,
    subject text NOT NULL,
    name_zh text,
    name_en text,
    birth jsonb NOT NULL
);
CREATE TABLE public.status_event (
    source text NOT NULL,
    id text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    equipment text NOT NULL,
    streamseq integer NOT NULL,
    state text NOT NULL,
    state_code integer NOT NULL,
    since timestamp with time zone NOT NULL,
    day_local text NOT NULL,
    prev_duration_ms bigint,
    cause text NOT NULL,
    repeat boolean NOT NULL,
    mode text,
    reason_code text,
    reason_category text,
    order_no text,
    product text,
    batch text
);
CREATE VIEW public.current_state AS
 WITH newest AS (
         SELECT s.source,
            s.id,
            s.epoch,
            s.seq,
            s.equipment,
            s.streamseq,
            s.state,
            s.state_code,
            s.since,
            s.day_local,
            s.prev_duration_ms,
            s.cause,
            s.repeat,
            s.mode,
            s.reason_code,
            s.reason_category,
            s.order_no,
            s.product,
            s.batch,
            row_number() OVER (PARTITION BY s.source, s.equipment ORDER BY s.epoch DESC, s.seq DESC) AS place
           FROM public.status_event s
        )
 SELECT n.source,
    n.equipment,
    e.name_zh,
    e.name_en,
    n.state,
    n.state_code,
    n.since,
    n.mode,
    n.reason_code,
    n.reason_category,
    n.order_no,
    n.product,
    n.batch
   FROM (newest n
     LEFT JOIN public.equipment e ON (((e.source = n.source) AND (e.equipment = n.equipment))))
  WHERE (n.place = 1);
CREATE TABLE public.dead_letter (
    number bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    reason text NOT NULL
);
CREATE SEQUENCE public.dead_letter_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.dead_letter_number_seq OWNED BY public.dead_letter.number;
CREATE TABLE public.event (
    number bigint NOT NULL,
    source text NOT NULL,
    id text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    equipment text NOT NULL,
    subject text NOT NULL,
    streamseq integer NOT NULL,
    "time" timestamp with time zone NOT NULL,
    recordedtime timestamp with time zone NOT NULL,
    replay boolean NOT NULL,
    data jsonb NOT NULL
);
CREATE SEQUENCE public.event_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.event_number_seq OWNED BY public.event.number;
CREATE TABLE public.fault_occurrence (
    source text NOT NULL,
    fault_id text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    transition text NOT NULL,
    equipment text NOT NULL,
    code text NOT NULL,
    text_zh text,
    text_en text,
    severity integer,
    category text,
    stops_machine boolean,
    raised_at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone,
    duration_ms bigint,
    raises integer NOT NULL,
    acked boolean NOT NULL,
    quality text,
    order_no text
);
CREATE VIEW public.fault_pareto AS
 SELECT fault_occurrence.source,
    fault_occurrence.equipment,
    fault_occurrence.code,
    max(fault_occurrence.text_zh) AS text_zh,
    max(fault_occurrence.text_en) AS text_en,
    max(fault_occurrence.severity) AS severity,
    count(*) AS occurrences,
    sum(fault_occurrence.raises) AS raises,
    sum(fault_occurrence.duration_ms) AS duration_ms,
    sum(
        CASE
            WHEN (fault_occurrence.cleared_at IS NULL) THEN 1
            ELSE 0
        END) AS active,
    max(fault_occurrence.raised_at) AS last_raised_at
   FROM public.fault_occurrence
  GROUP BY fault_occurrence.source, fault_occurrence.equipment, fault_occurrence.code;
CREATE TABLE public.feed (
    name text NOT NULL,
    number bigint NOT NULL
);
CREATE TABLE public.gap_event (
    source text NOT NULL,
    id text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    equipment text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    stream text NOT NULL,
    from_streamseq integer,
    to_streamseq integer,
    count bigint NOT NULL,
    reason text NOT NULL
);
CREATE TABLE public.health_event (
    source text NOT NULL,
    id text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    equipment text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    link text NOT NULL,
    state text NOT NULL,
    last_ok timestamp with time zone,
    rtt_ms double precision,
    failures integer NOT NULL,
    error_class text,
    error_text text
);
CREATE TABLE public.loss (
    source text NOT NULL,
    epoch text NOT NULL,
    equipment text NOT NULL,
    type text NOT NULL,
    from_streamseq integer NOT NULL,
    to_streamseq integer NOT NULL,
    reason text NOT NULL,
    noticed_at timestamp with time zone NOT NULL
);
CREATE TABLE public.mark (
    source text NOT NULL,
    epoch text NOT NULL,
    equipment text NOT NULL,
    type text NOT NULL,
    streamseq integer NOT NULL,
    seq bigint NOT NULL,
    runs text NOT NULL
);
CREATE TABLE public.note_event (
    source text NOT NULL,
    id text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    equipment text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    about text NOT NULL,
    by text NOT NULL,
    comment text,
    reason_code text,
    reason_category text
);
CREATE TABLE public."position" (
    source text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL
);
CREATE VIEW public.production_per_hour AS
 WITH booked AS (
         SELECT c.source,
            c.id,
            c.epoch,
            c.seq,
            c.equipment,
            c.counter,
            c.kind,
            c.delta,
            c.total,
            c.raw,
            c.unit,
            c.anomaly,
            c.refused,
            c.window_from,
            c."time",
            c.hour_local,
            c.day_local,
            c.shift,
            c.production_date,
            c.order_no,
            c.product,
            c.batch,
            c.origin,
            COALESCE((c.total - lag(c.total) OVER (PARTITION BY c.source, c.epoch, c.equipment, c.counter ORDER BY c.seq)), c.delta) AS quantity
           FROM public.count_event c
        )
 SELECT booked.source,
    booked.equipment,
    booked.hour_local,
    booked.shift,
    booked.production_date,
    booked.order_no,
    booked.product,
    booked.batch,
    booked.counter,
    booked.kind,
    booked.unit,
    sum(booked.quantity) AS quantity,
    sum(booked.refused) AS refused,
    sum(
        CASE
            WHEN (booked.anomaly = ANY (ARRAY['none'::text, 'baseline'::text, 'rollover'::text])) THEN 0
            ELSE 1
        END) AS anomalies
   FROM booked
  GROUP BY booked.source, booked.equipment, booked.hour_local, booked.shift, booked.production_date, booked.order_no, booked.product, booked.batch, booked.counter, booked.kind, booked.unit;
CREATE TABLE public.reading (
    source text NOT NULL,
    id text NOT NULL,
    tag text NOT NULL,
    equipment text NOT NULL,
    "group" text NOT NULL,
    "time" timestamp with time zone NOT NULL,
    value double precision,
    text_value text,
    quality text NOT NULL
);
CREATE TABLE public.schema_version (
    version integer NOT NULL
);
CREATE SEQUENCE public.schema_version_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.schema_version_version_seq OWNED BY public.schema_version.version;
CREATE VIEW public.status_interval AS
 WITH ordered AS (
         SELECT s.source,
            s.id,
            s.epoch,
            s.seq,
            s.equipment,
            s.streamseq,
            s.state,
            s.state_code,
            s.since,
            s.day_local,
            s.prev_duration_ms,
            s.cause,
            s.repeat,
            s.mode,
            s.reason_code,
            s.reason_category,
            s.order_no,
            s.product,
            s.batch,
            lead(s.since) OVER w AS next_since,
            lead(s.prev_duration_ms) OVER w AS measured_ms
           FROM public.status_event s
          WHERE (NOT s.repeat)
          WINDOW w AS (PARTITION BY s.source, s.equipment ORDER BY s.epoch, s.seq)
        )
 SELECT ordered.source,
    ordered.id,
    ordered.epoch,
    ordered.seq,
    ordered.equipment,
    ordered.state,
    ordered.state_code,
    ordered.since,
    ordered.next_since AS until,
    COALESCE(ordered.measured_ms, (round((EXTRACT(epoch FROM (ordered.next_since - ordered.since)) * (1000)::numeric)))::bigint) AS duration_ms,
    ordered.cause,
    ordered.mode,
    ordered.reason_code,
    ordered.reason_category,
    ordered.order_no,
    ordered.product,
    ordered.batch,
    ordered.day_local
   FROM ordered;
CREATE VIEW public.time_per_state AS
 SELECT status_interval.source,
    status_interval.equipment,
    status_interval.day_local,
    status_interval.state,
    sum(status_interval.duration_ms) AS duration_ms,
    count(*) AS intervals
   FROM public.status_interval
  WHERE (status_interval.until IS NOT NULL)
  GROUP BY status_interval.source, status_interval.equipment, status_interval.day_local, status_interval.state;
ALTER TABLE ONLY public.dead_letter ALTER COLUMN number SET DEFAULT nextval('public.dead_letter_number_seq'::regclass);
ALTER TABLE ONLY public.event ALTER COLUMN number SET DEFAULT nextval('public.event_number_seq'::regclass);
ALTER TABLE ONLY public.schema_version ALTER COLUMN version SET DEFAULT nextval('public.schema_version_version_seq'::regclass);
INSERT INTO public.count_event VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a-2', 't5k2m0-9f3a', 2, 'press-03', 'good', 'good', 0, 0, 0, '1', 'baseline', 0, NULL, '2026-03-20 01:00:00+00', '2026-03-20T09:00+08:00', '2026-03-20', NULL, NULL, NULL, NULL, NULL, 'device');
INSERT INTO public.dead_letter VALUES (1, '2026-03-20 01:41:00+00', 'plant/stamping/line-2/press-03', '\x7b22636f6465223a357d', 'fault t5k2m0-9f3a-11: KeyError(''fault_id'')');
INSERT INTO public.event VALUES (1, '/plant/gateways/gw-01', 't5k2m0-9f3a-1', 't5k2m0-9f3a', 1, 'status', 'press-03', 'plant/stamping/line-2/press-03', 1, '2026-03-20 01:00:00+00', '2026-03-20 01:00:00+00', false, '{"mode": "auto", "cause": "sample", "order": {"batch": "B9", "product": "A-77", "order_no": "WO-1", "ideal_cycle_ms": 2000}, "shift": null, "since": "2026-03-20T01:00:00.000Z", "state": "running", "reason": null, "repeat": false, "quality": "good", "prev_state": null, "state_code": 1, "prev_duration_ms": null}');
INSERT INTO public.event VALUES (2, '/plant/gateways/gw-01', 't5k2m0-9f3a-2', 't5k2m0-9f3a', 2, 'count', 'press-03', 'plant/stamping/line-2/press-03', 1, '2026-03-20 01:00:00+00', '2026-03-20 01:00:00+00', false, '{"raw": 0, "kind": "good", "unit": "1", "delta": 0, "order": null, "shift": null, "total": 0, "origin": "device", "window": {"to": "2026-03-20T01:00:00.000Z", "from": null}, "anomaly": "baseline", "counter": "good", "refused": 0}');
INSERT INTO public.event VALUES (3, '/plant/gateways/gw-01', 't5k2m0-9f3a-3', 't5k2m0-9f3a', 3, 'fault', 'press-03', 'plant/stamping/line-2/press-03', 1, '2026-03-20 01:05:00+00', '2026-03-20 01:05:00+00', false, '{"code": "E17", "text": {"en": "Guard open", "zh": "防护门打开"}, "acked": false, "flood": false, "order": {"batch": "B9", "product": "A-77", "order_no": "WO-1", "ideal_cycle_ms": 2000}, "shift": {"code": "A", "production_date": "2026-03-20"}, "active": true, "raises": 1, "quality": "good", "acked_at": null, "acked_by": null, "category": "safety", "fault_id": "f1", "first_up": true, "severity": 700, "raised_at": "2026-03-20T01:00:00.000Z", "cleared_at": null, "transition": "raised", "duration_ms": null, "shelved_until": null, "stops_machine": true}');
INSERT INTO public.event VALUES (4, '/plant/gateways/gw-01', 't5k2m0-9f3a-4', 't5k2m0-9f3a', 4, 'status', 'press-03', 'plant/stamping/line-2/press-03', 2, '2026-03-20 01:05:00+00', '2026-03-20 01:05:00+00', false, '{"mode": "auto", "cause": "sample", "order": null, "shift": null, "since": "2026-03-20T01:05:00.000Z", "state": "fault", "reason": null, "repeat": false, "quality": "good", "prev_state": null, "state_code": 4, "prev_duration_ms": null}');
INSERT INTO public.event VALUES (5, '/plant/gateways/gw-01', 't5k2m0-9f3a-5', 't5k2m0-9f3a', 5, 'fault', 'press-03', 'plant/stamping/line-2/press-03', 2, '2026-03-20 01:07:00+00', '2026-03-20 01:07:00+00', false, '{"code": "E17", "text": {"en": "Guard open", "zh": "防护门打开"}, "acked": true, "flood": false, "order": null, "active": true, "raises": 1, "quality": "good", "acked_at": "2026-03-20T01:07:00.000Z", "acked_by": "li", "category": "safety", "fault_id": "f1", "first_up": true, "severity": 700, "raised_at": "2026-03-20T01:00:00.000Z", "cleared_at": null, "transition": "acked", "duration_ms": null, "stops_machine": true}');
INSERT INTO public.event VALUES (6, '/plant/gateways/gw-01', 't5k2m0-9f3a-6', 't5k2m0-9f3a', 6, 'fault', 'press-03', 'plant/stamping/line-2/press-03', 3, '2026-03-20 01:09:00+00', '2026-03-20 01:09:00+00', false, '{"code": "E17", "text": {"en": "Guard open", "zh": "防护门打开"}, "acked": true, "flood": false, "order": null, "active": false, "raises": 1, "quality": "good", "acked_at": "2026-03-20T01:07:00.000Z", "acked_by": "li", "category": "safety", "fault_id": "f1", "first_up": true, "severity": 700, "raised_at": "2026-03-20T01:00:00.000Z", "cleared_at": "2026-03-20T01:09:00.000Z", "transition": "cleared", "duration_ms": 540000, "stops_machine": true}');
INSERT INTO public.event VALUES (7, '/plant/gateways/gw-01', 't5k2m0-9f3a-7', 't5k2m0-9f3a', 7, 'status', 'press-03', 'plant/stamping/line-2/press-03', 3, '2026-03-20 01:09:00+00', '2026-03-20 01:09:00+00', false, '{"mode": "auto", "cause": "sample", "order": null, "shift": null, "since": "2026-03-20T01:09:00.000Z", "state": "idle", "reason": {"code": "lunch", "text": {}, "planned": true, "category": "break"}, "repeat": false, "quality": "good", "prev_state": null, "state_code": 2, "prev_duration_ms": null}');
INSERT INTO public.event VALUES (8, '/plant/gateways/gw-01', 't5k2m0-9f3a-8', 't5k2m0-9f3a', 8, 'status', 'press-03', 'plant/stamping/line-2/press-03', 4, '2026-03-20 01:30:00+00', '2026-03-20 01:30:00+00', false, '{"mode": "auto", "cause": "sample", "order": null, "shift": null, "since": "2026-03-20T01:30:00.000Z", "state": "running", "reason": null, "repeat": false, "quality": "good", "prev_state": null, "state_code": 1, "prev_duration_ms": null}');
INSERT INTO public.event VALUES (9, '/plant/gateways/gw-01', 't5k2m0-9f3a-9', 't5k2m0-9f3a', 9, 'note', 'press-03', 'plant/stamping/line-2/press-03', 1, '2026-03-20 01:31:00+00', '2026-03-20 01:31:00+00', false, '{"by": "li", "about": "t5k2m0-9f3a-8", "reason": {"code": "lunch", "text": {}, "planned": true, "category": "break"}, "comment": null}');
INSERT INTO public.event VALUES (10, '/plant/gateways/gw-01', 't5k2m0-9f3a-10', 't5k2m0-9f3a', 10, 'reading', 'press-03', 'plant/stamping/line-2/press-03', 1, '2026-03-20 01:40:00+00', '2026-03-20 01:40:00+00', false, '{"bad": {}, "full": false, "group": "plc", "order": {"batch": "B9", "product": "A-77", "order_no": "WO-1", "ideal_cycle_ms": 2000}, "values": {"t": 1.5}}');
INSERT INTO public.event VALUES (11, '/plant/gateways/gw-01', 't5k2m0-9f3a-11', 't5k2m0-9f3a', 11, 'fault', 'press-03', 'plant/stamping/line-2/press-03', 4, '2026-03-20 01:41:00+00', '2026-03-20 01:41:00+00', false, '{"code": 5}');
INSERT INTO public.fault_occurrence VALUES ('/plant/gateways/gw-01', 'f1', 't5k2m0-9f3a', 6, 'cleared', 'press-03', 'E17', '防护门打开', 'Guard open', 700, 'safety', true, '2026-03-20 01:00:00+00', '2026-03-20 01:09:00+00', 540000, 1, true, 'good', 'WO-1');
INSERT INTO public.mark VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a', 'press-03', 'status', 4, 8, '[[1,4,1,8]]');
INSERT INTO public.mark VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a', 'press-03', 'count', 1, 2, '[[1,1,2,2]]');
INSERT INTO public.mark VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a', 'press-03', 'fault', 4, 11, '[[1,4,3,11]]');
INSERT INTO public.mark VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a', 'press-03', 'note', 1, 9, '[[1,1,9,9]]');
INSERT INTO public.mark VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a', 'press-03', 'reading', 1, 10, '[[1,1,10,10]]');
INSERT INTO public.note_event VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a-9', 't5k2m0-9f3a', 9, 'press-03', '2026-03-20 01:31:00+00', 't5k2m0-9f3a-8', 'li', NULL, 'lunch', 'break');
INSERT INTO public."position" VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a', 11);
INSERT INTO public.reading VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a-10', 't', 'press-03', 'plc', '2026-03-20 01:40:00+00', 1.5, NULL, 'good');
INSERT INTO public.schema_version VALUES (1);
INSERT INTO public.status_event VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a-1', 't5k2m0-9f3a', 1, 'press-03', 1, 'running', 1, '2026-03-20 01:00:00+00', '2026-03-20', NULL, 'sample', false, 'auto', NULL, NULL, 'WO-1', 'A-77', 'B9');
INSERT INTO public.status_event VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a-4', 't5k2m0-9f3a', 4, 'press-03', 2, 'fault', 4, '2026-03-20 01:05:00+00', '2026-03-20', NULL, 'sample', false, 'auto', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.status_event VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a-7', 't5k2m0-9f3a', 7, 'press-03', 3, 'idle', 2, '2026-03-20 01:09:00+00', '2026-03-20', NULL, 'sample', false, 'auto', 'lunch', 'break', NULL, NULL, NULL);
INSERT INTO public.status_event VALUES ('/plant/gateways/gw-01', 't5k2m0-9f3a-8', 't5k2m0-9f3a', 8, 'press-03', 4, 'running', 1, '2026-03-20 01:30:00+00', '2026-03-20', NULL, 'sample', false, 'auto', NULL, NULL, NULL, NULL, NULL);
SELECT pg_catalog.setval('public.dead_letter_number_seq', 1, true);
SELECT pg_catalog.setval('public.event_number_seq', 11, true);
SELECT pg_catalog.setval('public.schema_version_version_seq', 1, false);
ALTER TABLE ONLY public.count_event
    ADD CONSTRAINT count_event_pkey PRIMARY KEY (source, id);
ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.equipment
    ADD CONSTRAINT equipment_pkey PRIMARY KEY (source, equipment);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.fault_occurrence
    ADD CONSTRAINT fault_occurrence_pkey PRIMARY KEY (source, fault_id);
ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.gap_event
    ADD CONSTRAINT gap_event_pkey PRIMARY KEY (source, id);
ALTER TABLE ONLY public.health_event
    ADD CONSTRAINT health_event_pkey PRIMARY KEY (source, id);
ALTER TABLE ONLY public.loss
    ADD CONSTRAINT loss_pkey PRIMARY KEY (source, epoch, equipment, type, from_streamseq);
ALTER TABLE ONLY public.mark
    ADD CONSTRAINT mark_pkey PRIMARY KEY (source, epoch, equipment, type);
ALTER TABLE ONLY public.note_event
    ADD CONSTRAINT note_event_pkey PRIMARY KEY (source, id);
ALTER TABLE ONLY public."position"
    ADD CONSTRAINT position_pkey PRIMARY KEY (source, epoch);
ALTER TABLE ONLY public.reading
    ADD CONSTRAINT reading_pkey PRIMARY KEY (source, id, tag);
ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.status_event
    ADD CONSTRAINT status_event_pkey PRIMARY KEY (source, id);
CREATE INDEX count_event_order ON public.count_event USING btree (source, equipment, counter, epoch, seq);
CREATE UNIQUE INDEX event_key ON public.event USING btree (source, id);
CREATE INDEX fault_occurrence_time ON public.fault_occurrence USING btree (equipment, raised_at);
CREATE INDEX reading_time ON public.reading USING btree (equipment, tag, "time");
CREATE INDEX status_event_order ON public.status_event USING btree (source, equipment, epoch, seq);
