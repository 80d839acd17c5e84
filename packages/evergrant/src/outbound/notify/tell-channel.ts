import { type ChannelAddress, ChannelError, type Message, type TellChannel } from '../../core/alert/message.ts'
import type { Mailer } from '../../core/identity/letter.ts'
import { alertLetter } from './alert-mail.ts'
import { type PushOptions, tellPush } from './push-sender.ts'
import { tellSlack } from './slack-sender.ts'

interface ChannelOptions extends PushOptions {
  readonly mailer: Mailer
  /** What people call this installation. */
  readonly application: string
}

/** Tells one channel, whatever it is. */
export function createTellChannel(options: ChannelOptions): TellChannel {
  return async (address: ChannelAddress, message: Message) => {
    switch (address.kind) {
      case 'slack':
        return tellSlack(address.url, message, options)
      case 'push':
        return tellPush(address.subscription, message, options)
      case 'email':
        return tellByMail(address.to, message, options)
    }
  }
}

/** One letter for each recipient: nobody sees who else gets it. When one was taken, the rest is not worth telling everybody twice. */
async function tellByMail(to: readonly string[], message: Message, { mailer, application }: ChannelOptions): Promise<void> {
  const outcomes = await Promise.allSettled(to.map((address) => mailer.send(alertLetter(address, message, application))))
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
  const [first] = failed
  if (first !== undefined && failed.length === outcomes.length) throw new ChannelError(first.reason instanceof Error ? first.reason.message : 'unknown')
}
