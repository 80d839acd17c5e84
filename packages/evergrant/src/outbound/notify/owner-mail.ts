import type { OwnerNews } from '../../core/alert/owner-letters.ts'
import type { Letter } from '../../core/identity/letter.ts'
import { buttonHtml, escapeHtml, letterHtml, linkHtml } from './mail-html.ts'

const LONGEST_NAME = 60

/** Names come from providers and end users: one line, nothing that looks like a link. */
function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/:\/\/|www\./gi, ' ')
    .slice(0, LONGEST_NAME)
    .trim()
}

/** What stopped, for which account, what happens to the data, and one thing to do. */
export function ownerLetter(to: string, { provider, account, application, url, supportEmail }: OwnerNews): Letter {
  const [service, sender] = [plain(provider), plain(application)]
  const whose = account === null ? `your ${service} account` : plain(account)
  const subject = `${service} needs to be reconnected`
  const paragraphs = [
    `${sender} cannot use ${whose} at ${service} any more. Syncing is paused; nothing was deleted.`,
    'It goes on where it stopped once you reconnect.',
  ]
  const action = `Reconnect ${service}`
  const ignored = 'You get this letter once. If you do not want to go on, you need not do anything.'
  const help = supportEmail === null ? [] : [`Questions? ${supportEmail}`]
  const text = [...paragraphs, `${action}:\n${url}`, ignored, ...help, sender].join('\n\n')
  const contact = supportEmail === null ? '' : ` · <a href="mailto:${escapeHtml(supportEmail)}" style="color:#1d4ed8">${escapeHtml(supportEmail)}</a>`
  const words = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n')
  const link = `<p style="font-size:13px">${escapeHtml('If the button does not work:')} ${linkHtml(url, url)}</p>`
  return {
    to,
    subject,
    text: `${text}\n`,
    html: letterHtml(subject, `${words}${buttonHtml(url, action)}${link}`, `${escapeHtml(ignored)}<br>${escapeHtml(sender)}${contact}`),
  }
}
