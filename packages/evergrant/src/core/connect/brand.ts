import type { OrganizationSettings } from '../access/organization-settings.ts'
import type { OrganizationId } from '../ids.ts'
import type { ConnectPorts } from './connect-ports.ts'

/** How an application looks to its end users, and whom they turn to. */
export type Brand = Pick<OrganizationSettings, 'logo' | 'accent' | 'supportEmail' | 'supportUrl' | 'privacyUrl' | 'statusText'>

/** Who asks. */
interface Sender {
  readonly application: string
  readonly brand: Brand
}

export async function senderOf(id: OrganizationId, ports: Pick<ConnectPorts, 'organizations'>): Promise<Sender> {
  const [organization, settings] = await Promise.all([ports.organizations.get(id), ports.organizations.settings(id)])
  const { applicationName, logo, accent, supportEmail, supportUrl, privacyUrl, statusText } = settings
  return {
    application: applicationName ?? organization?.name ?? 'This application',
    brand: { logo, accent, supportEmail, supportUrl, privacyUrl, statusText },
  }
}
