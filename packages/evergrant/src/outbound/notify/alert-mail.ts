import type { Message, MessageItem, MessageReport } from '../../core/alert/message.ts'
import type { Letter } from '../../core/identity/letter.ts'
import { escapeHtml, letterHtml, linkHtml } from './mail-html.ts'

const WORDS = { info: 'For your information', warning: 'Warning', critical: 'Critical' } as const
const LONGEST_SUBJECT = 150

/** Names that people gave stand in it: one line, no control characters. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .slice(0, LONGEST_SUBJECT)
    .trim()
}

/** Text and HTML that say the same. */
export function alertLetter(to: string, { title, items, url, report = null }: Message, application: string): Letter {
  const told = report === null ? [] : [`${report.title}\n${report.text}\nFigures: ${report.url}`]
  const text = [title, ...items.map(itemText), ...told, `Console: ${url}`, application].join('\n\n')
  const html = letterHtml(
    title,
    [...items.map(itemHtml), ...(report === null ? [] : [reportHtml(report)])].join('\n'),
    `${linkHtml(url, 'Open the console')} · ${escapeHtml(application)}`,
  )
  return { to, subject: oneLine(`[Evergrant] ${title}`), text: `${text}\n`, html }
}

function reportHtml({ title, text, url }: MessageReport): string {
  return `<div style="margin:0 0 20px"><p style="margin:0"><strong>${escapeHtml(title)}</strong></p>
<p style="margin:4px 0">${escapeHtml(text)}</p><p style="margin:0">${linkHtml(url, 'Figures')}</p></div>`
}

const stateOf = ({ state, severity }: MessageItem): string => (state === 'resolved' ? 'Resolved' : WORDS[severity])

function itemText(item: MessageItem): string {
  const help = item.runbookUrl === null ? [] : [`What to do: ${item.runbookUrl}`]
  return [`${stateOf(item)}: ${item.title}`, item.state === 'resolved' ? 'It is over.' : item.text, `Show: ${item.url}`, ...help].join('\n')
}

function itemHtml(item: MessageItem): string {
  const help = item.runbookUrl === null ? '' : ` · ${linkHtml(item.runbookUrl, 'What to do')}`
  const text = item.state === 'resolved' ? 'It is over.' : item.text
  return `<div style="margin:0 0 20px"><p style="margin:0"><strong>${escapeHtml(stateOf(item))}: ${escapeHtml(item.title)}</strong></p>
<p style="margin:4px 0">${escapeHtml(text)}</p><p style="margin:0">${linkHtml(item.url, 'Show')}${help}</p></div>`
}
