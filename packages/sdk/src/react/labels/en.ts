import type { Labels } from '../labels.ts'

const reconnect = { primary: 'Reconnect {P}' }
const signIn = { primary: 'Sign in' }

export const en: Labels = {
  locale: 'en',
  provider: 'the provider',
  account: 'your account',
  app: 'the server',
  details: 'Details',
  dismiss: 'Dismiss',
  more: { one: '{n} more connection needs attention', other: '{n} more connections need attention' },
  region: 'Connections',
  status: {
    valid: 'Connected',
    expiring: 'Expires soon',
    refreshing: 'Renewing',
    needs_reauth: 'Needs to be reconnected',
    unavailable: 'Not available',
    disconnected: 'Disconnected',
    unknown: 'Checking',
  },
  messages: {
    connection_expired: {
      title: '{P} needs to be reconnected',
      body: [
        'Access for {A} expired on {date}. Syncing is paused; nothing was deleted.',
        'Access for {A} has expired. Syncing is paused; nothing was deleted.',
      ],
      ...reconnect,
      secondary: 'Remind me tomorrow',
    },
    connection_expiring: {
      title: '{P} access ends {T}',
      body: ['Renew {A} before {date} to avoid an interruption.'],
      primary: 'Renew now',
      secondary: 'Dismiss until 24 h before',
    },
    connection_revoked: {
      title: '{P} access was removed',
      body: ['Someone removed our access to {A} in {P}, or its password or security policy changed. If this was not you, check with your {P} admin.'],
      ...reconnect,
      secondary: 'Disconnect',
    },
    refresh_outcome_lost: {
      title: '{P} needs to be reconnected',
      body: ['The connection to {A} was interrupted while {P} renewed it. Nothing was deleted.'],
      ...reconnect,
      secondary: 'Remind me tomorrow',
    },
    rotated_after_backup: {
      title: '{P} needs to be reconnected',
      body: ['We had to go back to a backup that is older than the connection to {A}. Nothing was deleted.'],
      ...reconnect,
    },
    grant_kept_elsewhere: {
      title: '{P} is connected in another installation',
      body: ['This is a copy of another installation, which keeps the connection to {P}. Connect again to use {P} here.'],
      ...reconnect,
    },
    new_credentials_needed: {
      title: '{P} needs new credentials',
      body: ['The key or password that is stored for {P} does not work any more. Nothing was deleted. A new one is needed to go on.'],
    },
    scope_missing: {
      title: '{P} needs one more permission',
      body: ['To {feature}, allow: "{scope}". Other features keep working.', '{P} needs one more permission for this. Other features keep working.'],
      primary: 'Allow in {P}',
      secondary: 'Not now',
    },
    admin_approval_required: {
      title: 'Your {P} admin must approve',
      body: ['Send this link to an admin of {tenant}.', 'Send this link to an admin of your {P} organization.'],
      primary: 'Copy request link',
      secondary: 'I am an admin',
    },
    account_mismatch: {
      title: 'That was a different {P} account',
      body: [
        'This connection belongs to {A}; you signed in as {B}. Nothing was changed.',
        'This connection belongs to {A}; you signed in with another account. Nothing was changed.',
      ],
      primary: 'Try again as {A}',
      secondary: 'Connect {B} as a new connection',
    },
    connection_paused: { title: '{P} is paused', body: ['The connection to {A} is paused. Nothing was deleted.'] },
    connection_disconnected: { title: '{P} is disconnected', body: ['The connection to {A} was disconnected.'], primary: 'Reconnect {P}' },
    client_rejected: { title: '{P} is not available right now', body: ['The team was notified.'], secondary: 'Contact support' },
    provider_rate_limited: {
      title: '{P} asked us to slow down',
      body: ['Requests for {A} resume {T}. Nothing is lost.', 'Requests for {A} resume soon. Nothing is lost.'],
      secondary: 'Details',
    },
    provider_unavailable: {
      title: '{P} is not responding',
      body: ['{P} has problems since {time}. We keep trying; you do not need to reconnect.', '{P} has problems. We keep trying; you do not need to reconnect.'],
      secondary: '{P} status page',
    },
    outcome_unknown: { title: 'Waiting for {P}', body: ['{P} did not answer. We keep trying; you do not need to reconnect.'] },
    deaths_held: { title: 'Checking with {P}', body: ['{P} refused to renew many connections at once, so we are checking. You do not need to reconnect yet.'] },
    refresh_in_progress: { title: 'Renewing {P}', body: ['One moment: {P} is being renewed.'] },
    reconnect_waiting: {
      title: 'Waiting for {P}',
      body: ['Finish in the window we opened. Closed the window? Start again.'],
      primary: 'Open again',
      secondary: 'Cancel',
    },
    reconnect_cancelled: {
      title: 'Reconnect not finished',
      body: ['The sign-in window was closed before {P} confirmed.'],
      primary: 'Open again',
      secondary: 'Cancel',
    },
    popup_blocked: {
      title: 'Your browser blocked the window',
      body: ['Allow pop-ups for this site or continue in this tab.'],
      primary: 'Continue in this tab',
      secondary: 'How to allow',
    },
    reconnected: { title: 'Reconnected as {A}.', body: [] },
    client_offline: { title: 'You are offline', body: ['We will retry by ourselves. Your work is kept.'], primary: 'Try now' },
    service_unreachable: {
      title: 'Cannot reach {App}',
      body: ['Retrying {T}. You are still signed in.', 'Retrying. You are still signed in.'],
      primary: 'Try now',
      secondary: 'Status page',
    },
    session_missing: { title: 'Please sign in', body: [], ...signIn },
    session_expired: {
      title: 'Please sign in again',
      body: [
        'You were signed out after {reason}. Unsaved input on this page is kept.',
        'You were signed out because you had not been here for a while. Unsaved input on this page is kept.',
      ],
      ...signIn,
    },
    session_signed_out: { title: 'You signed out in another tab', body: [], ...signIn },
    session_revoked: { title: 'Your session was ended', body: ['Somebody who looks after {App} ended it. Sign in again, or ask them.'], ...signIn },
    session_reuse_detected: {
      title: 'We ended this session for safety',
      body: ['The session was used from two places. Sign in again; review recent activity.'],
      ...signIn,
      secondary: 'Review activity',
    },
    clock_skew: { title: 'Your device clock is off by {n} min', body: ['Signing in may fail until it is corrected.'], primary: 'How to fix' },
    unknown: {
      title: 'Something went wrong with {P}',
      body: ['We are retrying. If it continues, send us this id: {requestId}.', 'We are retrying.'],
      primary: 'Try again',
      secondary: 'Copy details',
    },
  },
}
