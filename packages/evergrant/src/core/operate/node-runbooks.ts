import type { Runbook } from './runbook.ts'

/** Pages for what only the monitoring of the machines sees. */
export const NODE_RUNBOOKS: readonly Runbook[] = [
  {
    id: 'node-down',
    title: 'A node does not answer',
    symptom: 'Prometheus cannot read `/metrics` of a node. With other nodes nobody feels it; a single node means that nobody gets tokens.',
    causes: [
      'The process ended: see its exit code and last lines.',
      'The machine or its network is away.',
      'The process is stopped by a debugger or starved of memory.',
    ],
    look: [
      ['whether it lives', 'curl -s http://<node>/health/live'],
      ['its last lines', 'journalctl -u evergrant -n 100'],
    ],
    remedy: [
      'Start it again on the same data folder and with the same `EVERGRANT_NODE_ID`: it reclaims its own leases and replays its journal.',
      'Exit code 3: an answer is only in its journal. Keep the folder: [journal-not-empty](journal-not-empty.md).',
    ],
  },
  {
    id: 'not-ready',
    title: 'A node is not ready',
    symptom: 'A check of `/health/ready` fails for minutes, so that load balancers keep traffic away.',
    causes: ['The check names it: database, lock of the node, clock, journal, stuck writes, or a drain that does not end.'],
    look: [['each check with its reason', 'curl -s http://<node>/health/ready']],
    remedy: [
      '`store`: [database-trouble](database-trouble.md). `clock`: [clock-skew](clock-skew.md). `journal`, `writes`: [journal-not-empty](journal-not-empty.md), [stuck-writes](stuck-writes.md).',
      '`node`: the connection that shows that it lives is lost; it is opened again by itself when the database lets it.',
    ],
  },
  {
    id: 'queue-behind',
    title: 'Refreshes wait too long',
    symptom: 'Connections are due and nobody takes them. Tokens end before they are renewed.',
    causes: [
      'No node runs its worker: all are draining, or none holds its lock.',
      'Too many are due at once for the workers: after an outage, or a large import.',
      'The database is slow.',
    ],
    look: [
      ['what waits', 'curl -s $EVERGRANT/metrics | grep evergrant_queue'],
      ['how far it is', 'curl -X POST -H "Authorization: Bearer $KEY" $EVERGRANT/api/v1/admin/refresh-tokens'],
    ],
    remedy: [
      'After an outage it empties by itself, in order: watch `evergrant_queue_age_seconds` fall.',
      'If it grows: start another node, or raise `EVERGRANT_WORKER_CONCURRENCY`.',
      'If nothing is taken at all: [not-ready](not-ready.md).',
    ],
  },
  {
    id: 'database-trouble',
    title: 'The database is slow or fails',
    symptom: 'Calls of the database fail or take long. Valid tokens are served from memory for a while; refreshes stop, and no grant is harmed.',
    causes: [
      'PostgreSQL is away, fails over, or has no connections left.',
      'The disk is full or slow.',
      'A long transaction, a vacuum, or a missing index after a restore.',
    ],
    look: [
      ['which part, how slow', 'curl -s http://<node>/metrics | grep -E "evergrant_store_(seconds_sum|seconds_count|errors_total)"'],
      ['the database itself', 'evergrant doctor'],
    ],
    remedy: [
      'Bring it back; nodes go on by themselves.',
      'A restored database is noticed: Evergrant presents nothing until you confirm ([backup and restore](../guides/backup-and-restore.md)).',
      'Connections: each node takes `EVERGRANT_DATABASE_CONNECTIONS`.',
    ],
  },
  {
    id: 'provider-away',
    title: 'A provider is given a rest',
    symptom: 'The breaker of a token endpoint is open: its connections wait. Others are not affected.',
    causes: ['The provider answers errors or nothing.', 'It is not reachable from here alone.'],
    look: [
      ['which provider', 'curl -H "Authorization: Bearer $KEY" $EVERGRANT/api/v1/console/overview'],
      ['the path to it; any answer is good', 'curl -sv --max-time 10 https://<token endpoint of the provider>'],
    ],
    remedy: [
      'Wait: it is tried again with growing pauses, and all that waits is released in order.',
      'If only we cannot reach it: egress proxy, firewall, DNS.',
    ],
  },
  {
    id: 'clock-skew',
    title: 'A clock is wrong',
    symptom: 'The clock of a node and that of the database are apart. Above 30 s the node starts no refresh.',
    causes: ['No time synchronisation on one of the two.', 'A virtual machine that was paused.'],
    look: [
      ['by how much', 'curl -s http://<node>/metrics | grep evergrant_clock_skew_seconds'],
      ['synchronisation', 'timedatectl status'],
    ],
    remedy: ['Turn on NTP on both. Nothing has to be restarted.'],
  },
  {
    id: 'slow-api',
    title: 'The API is slow',
    symptom: 'Requests take longer than their target.',
    causes: [
      'The database: [database-trouble](database-trouble.md).',
      'Callers who wait for a refresh of a slow provider.',
      'The process has no time: collections, a blocked event loop, too few cores.',
    ],
    look: [
      ['which area', 'curl -s http://<node>/metrics | grep evergrant_http_request_seconds'],
      ['the event loop', 'curl -s http://<node>/metrics | grep nodejs_eventloop_lag'],
    ],
    remedy: ['Follow a slow trace down to its call, where traces are on.', 'Add a node: nodes share nothing but the database.'],
  },
  {
    id: 'stuck-writes',
    title: 'Writes keep failing',
    symptom: 'A node holds results that the database refuses, and goes on trying. The tokens are in its journal and are served.',
    causes: ['The database is read-only or full.', 'A defect: the log names the write and the error.'],
    look: [['which kind', 'curl -s http://<node>/health/ready']],
    remedy: [
      'Repair the database; nothing has to be restarted.',
      'If the error names a constraint, keep the node running and report it with the line of the log.',
    ],
  },
  {
    id: 'late-refreshes',
    title: 'Tokens are renewed too late',
    symptom: 'Successors come after their predecessors have ended: readers wait, or get an error for a moment.',
    causes: [
      'The queue is behind: [queue-behind](queue-behind.md).',
      'A provider was away for longer than its tokens live.',
      'A provider that shortened its lifetimes.',
    ],
    look: [['how late', 'curl -s $EVERGRANT/metrics | grep evergrant_refresh_lead_seconds']],
    remedy: ['If the provider was away, it is over with its outage.', 'If it goes on: set the renewal of the integration to `ahead`, and report the lifetime.'],
  },
  {
    id: 'suspect-connections',
    title: 'Many outcomes are unknown',
    symptom: 'Requests were sent and no answer came that can be trusted. Their connections are *suspect*: still served, and probed at a careful rate.',
    causes: ['The network or the egress proxy cuts connections.', 'The provider resets under load.', 'Nodes that are killed instead of stopped.'],
    look: [
      ['how many', 'curl -s $EVERGRANT/metrics | grep suspect'],
      ['where', 'curl -H "Authorization: Bearer $KEY" "$EVERGRANT/api/v1/events?type=connection.suspect"'],
    ],
    remedy: [
      'Find out who cuts the line; a proxy with a short idle time is usual.',
      'Stop nodes with SIGTERM and give them `EVERGRANT_DRAIN_SECONDS`.',
      'Do not reconnect by hand: most of them heal with their next probe.',
    ],
  },
]
