import { ChannelError, type Message, type MessageItem } from '../../core/alert/message.ts'
import type { Severity } from '../../core/alert/rule.ts'
import { retryAfterMs } from '../../core/provider/retry-after.ts'
import type { Clock } from '../../core/time.ts'
import { type PostOptions, post } from './post.ts'

/** Limits of Slack: 50 blocks a message, 3,000 characters a section, 150 a header. */
const MOST_ITEMS = 20
const LONGEST_SECTION = 2_900
const LONGEST_HEADER = 150

const SIGNS: Readonly<Record<Severity, string>> = { info: ':information_source:', warning: ':warning:', critical: ':rotating_light:' }

/** The three characters that mean something to Slack; and nothing in a name may call people. */
function escapeSlack(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

function slackBody({ title, severity, items, url }: Message): string {
  const shown = items.slice(0, MOST_ITEMS)
  const more = items.length - shown.length
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: title.slice(0, LONGEST_HEADER), emoji: false } },
    ...shown.map((item) => ({ type: 'section', text: { type: 'mrkdwn', text: sectionOf(item).slice(0, LONGEST_SECTION) } })),
    {
      type: 'context',
      elements: [{ type: 'mrkdwn', text: `${SIGNS[severity]} ${more > 0 ? `and ${more} more · ` : ''}<${escapeSlack(url)}|Open the console>` }],
    },
  ]
  // What notifications and readers without blocks show.
  return JSON.stringify({ text: escapeSlack(title), blocks, unfurl_links: false, unfurl_media: false })
}

function sectionOf({ state, severity, title, text, url, runbookUrl }: MessageItem): string {
  const sign = state === 'resolved' ? ':white_check_mark:' : SIGNS[severity]
  const links = [`<${escapeSlack(url)}|Show>`, ...(runbookUrl === null ? [] : [`<${escapeSlack(runbookUrl)}|What to do>`])]
  return `${sign} *${escapeSlack(title)}*\n${state === 'resolved' ? 'It is over.' : escapeSlack(text)}\n${links.join(' · ')}`
}

/** @throws ChannelError */
export async function tellSlack(url: string, message: Message, options: PostOptions & { readonly clock: Pick<Clock, 'wall'> }): Promise<void> {
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  const outcome = await post({ url, headers, body: Buffer.from(slackBody(message), 'utf8') }, options)
  if (outcome.kind === 'failed') throw new ChannelError(outcome.cause)
  if (outcome.status >= 200 && outcome.status < 300) return
  // 403 and 404: the hook was taken away; 410: its conversation is archived.
  const gone = outcome.status === 403 || outcome.status === 404 || outcome.status === 410
  throw new ChannelError(String(outcome.status), gone, retryAfterMs(outcome.headers, options.clock.wall()))
}
