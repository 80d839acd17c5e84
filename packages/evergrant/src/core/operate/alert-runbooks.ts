import type { AlertKind } from '../alert/rule.ts'
import type { Runbook } from './runbook.ts'

/** A page for every kind of alert: that none is missing is checked by the compiler. */
export const ALERT_RUNBOOKS: Readonly<Record<AlertKind, Runbook>> = {
  connection_needs_reauth: {
    id: 'connection-needs-reauth',
    title: 'A connection needs its owner',
    symptom: 'Reads of the connection answer `needs_reauth`. Only its owner is affected; nothing was deleted.',
    causes: [
      'The owner revoked access at the provider, or changed the password there.',
      'The grant reached an end that no refresh extends, or was not used for too long.',
      'Many at once: the provider ended all grants of a client (a changed secret, a suspended application, an outage that looks like ends). Evergrant then holds the ends back and asks you.',
    ],
    look: [
      ['why it is in this state, in words', 'curl -H "Authorization: Bearer $KEY" $EVERGRANT/api/v1/connections/$ID/why'],
      ['whether it is one or many', 'curl -H "Authorization: Bearer $KEY" "$EVERGRANT/api/v1/connections/facets?status=needs_reauth"'],
    ],
    remedy: [
      'Send the owner the reconnect link (console, or `POST /api/v1/connections/{id}/reconnect`). The connection keeps its id and heals by itself when they have been there. Where the console has no such link, its page of the connection says how the owner reconnects.',
      "If many ended within an hour at one provider, look at the provider's status page and the integration's client secret first: reconnecting does not help while they are wrong.",
      'The alert is resolved when its last connection works again.',
    ],
  },
  refresh_failing: {
    id: 'refresh-failing',
    title: 'Refreshes of a provider fail',
    symptom: 'Connections of one provider are `degraded`: their tokens are over or will be soon, and renewing them fails. Their owners can do nothing.',
    causes: [
      'The provider is away, slow, or limits our rate.',
      'The network between this server and the provider: DNS, egress proxy, firewall, TLS inspection.',
      'A new error of the provider that its record does not know yet.',
    ],
    look: [
      ['outcomes by provider', 'curl -s $EVERGRANT/metrics | grep evergrant_token_requests_total'],
      ['the path to the provider, from this machine; any answer is good', 'curl -sv --max-time 10 https://<token endpoint of the provider>'],
      ['what was answered', 'curl -H "Authorization: Bearer $KEY" "$EVERGRANT/api/v1/events?type=connection.refresh_failed"'],
    ],
    remedy: [
      'If other providers work: wait. Refreshes are repeated with growing pauses and released in order when the provider is back. Do not ask owners to reconnect.',
      'If all providers fail: repair the network of this server.',
      'If the answer is new (its text is in the event), correct the record in a provider folder and report it.',
    ],
  },
  integration_misconfigured: {
    id: 'integration-misconfigured',
    title: 'An integration is misconfigured',
    symptom: 'The provider refuses our own client: all connections of the integration are `blocked`. Their grants are untouched.',
    causes: [
      'The client secret was rotated or has expired at the provider.',
      'The application was suspended, or its redirect address changed.',
      'The key or certificate that signs our requests is wrong.',
    ],
    look: [
      ['which, since when, and what the provider said', 'curl -H "Authorization: Bearer $KEY" $EVERGRANT/api/v1/integrations'],
      [
        'whether an imported or restored database brought an old secret',
        'curl -H "Authorization: Bearer $KEY" "$EVERGRANT/api/v1/events?type=integration.updated"',
      ],
    ],
    remedy: [
      'Put the right client id and secret into the integration (console, or `PATCH /api/v1/integrations/{id}`).',
      'All connections go on by themselves within a minute. No owner has to do anything.',
    ],
  },
  success_rate_low: {
    id: 'success-rate-low',
    title: 'Too few refreshes succeed',
    symptom: 'The share of refreshes that succeed is under its target, over all providers.',
    causes: ['One large provider fails.', 'Many grants ended at once.', 'The network, the clock or the egress proxy of this server.'],
    look: [
      ['which provider, and how', 'curl -s $EVERGRANT/metrics | grep evergrant_token_requests_total'],
      ['the machine, its clock and its keys', 'evergrant doctor'],
    ],
    remedy: [
      'If one provider fails: [refresh-failing](refresh-failing.md).',
      'If grants ended: [connection-needs-reauth](connection-needs-reauth.md).',
      'If all fail in the same way: repair the machine, then `POST /api/v1/admin/refresh-tokens`.',
    ],
  },
  expires_soon: {
    id: 'expires-soon',
    title: 'Grants end soon',
    symptom: 'Grants reach an end that no refresh extends. Everything works until then.',
    causes: ['The provider limits a grant to a fixed time (a year, 90 days).', 'A certificate or client secret with an end.'],
    look: [['who and when', 'curl -H "Authorization: Bearer $KEY" "$EVERGRANT/api/v1/expiries/list?from=$FROM&to=$TO"']],
    remedy: [
      'Let owners reconnect before the end: send reconnect links in bulk from the console, or let Evergrant write to them.',
      'A reconnect before the end costs no interruption.',
    ],
  },
  reuse_detected: {
    id: 'reuse-detected',
    title: 'A session was used from two places',
    symptom: 'An old refresh credential of a session came back after its successor was in use. The session was ended; the person signs in again.',
    causes: [
      'The credential was copied: malware, a shared machine, a leaked backup of a browser profile.',
      'A client that keeps old credentials (a restored virtual machine, two processes with one file).',
    ],
    look: [['address and time of both uses', 'curl -H "Authorization: Bearer $KEY" "$EVERGRANT/api/v1/events?type=session.reuse_detected"']],
    remedy: [
      'Ask the person whether they recognise both places.',
      'If not: end all their sessions, let them change the password, look at what was done with the session (`GET /api/v1/events?subject=<session>`).',
      'If it was their own restored machine, nothing more is needed.',
    ],
  },
  clone_detected: {
    id: 'clone-detected',
    title: 'The credentials of an installation were copied',
    symptom: 'Two machines hold the credentials of one installation. Depending on the policy it is locked: the program has no access until somebody decides.',
    causes: ['A virtual machine or container image was copied with its key file.', 'A backup was restored beside the original.', 'The key was stolen.'],
    look: [
      ['what was seen, from where', 'curl -H "Authorization: Bearer $KEY" "$EVERGRANT/api/v1/events?type=installation.clone_suspected"'],
      ['the installation', 'curl -H "Authorization: Bearer $KEY" $EVERGRANT/api/v1/installations/$ID'],
    ],
    remedy: [
      'Find out which machine is the real one.',
      'If it was a copy of yours: enrol the copy anew, then *unlock and re-key* the installation. The first machine that proves the key goes on.',
      'If the message says that the key was changed, and it was not the real machine that changed it: cut the installation off and enrol the machine again. An unlock would be for the other one.',
      'If nobody knows the second machine: cut the installation off, enrol again, and rotate what it could reach.',
    ],
  },
  journal_not_empty: {
    id: 'journal-not-empty',
    title: 'A node holds answers that are not in the database',
    symptom: 'Providers gave new tokens that this node could write to its journal alone. They are served, and lost if the disk of the node is.',
    causes: ['The database is away, read-only, or full.', 'A write that keeps failing: see the log of the node.'],
    look: [
      ['how many, on which node', 'curl -s http://<node>/metrics | grep -E "evergrant_journal_answers|stuck_writes"'],
      ['the state of the node', 'curl -s http://<node>/health/ready'],
    ],
    remedy: [
      'Do not delete the data folder of the node, and do not replace the node by an empty one.',
      'Bring the database back. The node writes its answers by itself, in seconds.',
      'If the node has to be stopped: stop it with SIGTERM and start it again on the same data folder. The journal is replayed at the start.',
    ],
  },
  seal_key_missing: {
    id: 'seal-key-missing',
    title: 'A master key is missing',
    symptom: 'Stored values cannot be opened. Their connections answer `seal_key_missing`; nothing is lost, and nothing was changed.',
    causes: [
      'A key was taken out of `EVERGRANT_MASTER_KEYS` while values are still sealed with it.',
      'A node has other keys than its neighbours.',
      'A database was restored from before a rotation.',
    ],
    look: [
      ['which key, and how many values', 'curl -H "Authorization: Bearer $KEY" $EVERGRANT/api/v1/admin/keys'],
      ['the same, and which node has which keys', 'evergrant keys status'],
      ['the keyring of this machine', 'evergrant doctor'],
    ],
    remedy: [
      'Put the key back, as a later entry of `EVERGRANT_MASTER_KEYS` on every node, or of the list in `data/keys.json` where the keys are there, and restart the nodes one after the other.',
      'What could not be opened heals by itself. Owners have nothing to do.',
      'Never make a new key under the id of the old one.',
    ],
  },
  delivery_failing: {
    id: 'delivery-failing',
    title: 'A webhook takes nothing',
    symptom: 'An endpoint of an application answers no delivery. Deliveries wait and are tried for three days.',
    causes: [
      'The receiver is down or answers errors.',
      'It refuses the signature: its secret is an old one.',
      'Its address is private, or its certificate has expired.',
    ],
    look: [['each try with status and answer', 'curl -H "Authorization: Bearer $KEY" $EVERGRANT/api/v1/webhooks/$ID/deliveries']],
    remedy: [
      'Correct the receiver. The next try closes the circuit, and the rest follows.',
      'Replay what was given up: `POST /api/v1/webhooks/{id}/replay`.',
      'A receiver that is gone for good: remove the endpoint.',
    ],
  },
}
