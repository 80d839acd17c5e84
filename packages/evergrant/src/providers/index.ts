import type { ProviderRecord } from '../core/provider/record.ts'
import { airtable } from './catalogue/airtable.ts'
import { amazonAdsEu } from './catalogue/amazon-ads-eu.ts'
import { amazonAdsFe } from './catalogue/amazon-ads-fe.ts'
import { amazonAdsNa } from './catalogue/amazon-ads-na.ts'
import { amazonSpApi } from './catalogue/amazon-sp-api.ts'
import { apiKey } from './catalogue/api-key.ts'
import { apple } from './catalogue/apple.ts'
import { asana } from './catalogue/asana.ts'
import { atlassian } from './catalogue/atlassian.ts'
import { auth0 } from './catalogue/auth0.ts'
import { basecamp } from './catalogue/basecamp.ts'
import { basic } from './catalogue/basic.ts'
import { bearerToken } from './catalogue/bearer-token.ts'
import { box } from './catalogue/box.ts'
import { bullhorn } from './catalogue/bullhorn.ts'
import { calendly } from './catalogue/calendly.ts'
import { canva } from './catalogue/canva.ts'
import { clickup } from './catalogue/clickup.ts'
import { coros } from './catalogue/coros.ts'
import { discord } from './catalogue/discord.ts'
import { docusign } from './catalogue/docusign.ts'
import { dropbox } from './catalogue/dropbox.ts'
import { facebook } from './catalogue/facebook.ts'
import { figma } from './catalogue/figma.ts'
import { fitbit } from './catalogue/fitbit.ts'
import { garmin } from './catalogue/garmin.ts'
import { github } from './catalogue/github.ts'
import { githubApp } from './catalogue/github-app.ts'
import { githubInstallation } from './catalogue/github-installation.ts'
import { gitlab } from './catalogue/gitlab.ts'
import { google } from './catalogue/google.ts'
import { googleServiceAccount } from './catalogue/google-service-account.ts'
import { hubspot } from './catalogue/hubspot.ts'
import { instagram } from './catalogue/instagram.ts'
import { intercom } from './catalogue/intercom.ts'
import { intuit } from './catalogue/intuit.ts'
import { keycloak } from './catalogue/keycloak.ts'
import { linear } from './catalogue/linear.ts'
import { linkedin } from './catalogue/linkedin.ts'
import { mailchimp } from './catalogue/mailchimp.ts'
import { microsoft } from './catalogue/microsoft.ts'
import { miro } from './catalogue/miro.ts'
import { monday } from './catalogue/monday.ts'
import { netsuite } from './catalogue/netsuite.ts'
import { notion } from './catalogue/notion.ts'
import { oauth2 } from './catalogue/oauth2.ts'
import { oauth2ClientCredentials } from './catalogue/oauth2-client-credentials.ts'
import { oidc } from './catalogue/oidc.ts'
import { okta } from './catalogue/okta.ts'
import { oura } from './catalogue/oura.ts'
import { paypal } from './catalogue/paypal.ts'
import { pinterest } from './catalogue/pinterest.ts'
import { pipedrive } from './catalogue/pipedrive.ts'
import { polar } from './catalogue/polar.ts'
import { reddit } from './catalogue/reddit.ts'
import { ringcentral } from './catalogue/ringcentral.ts'
import { salesforce } from './catalogue/salesforce.ts'
import { sentry } from './catalogue/sentry.ts'
import { shopify } from './catalogue/shopify.ts'
import { slack } from './catalogue/slack.ts'
import { slackRotation } from './catalogue/slack-rotation.ts'
import { smartOnFhir } from './catalogue/smart-on-fhir.ts'
import { snowflake } from './catalogue/snowflake.ts'
import { spotify } from './catalogue/spotify.ts'
import { square } from './catalogue/square.ts'
import { strava } from './catalogue/strava.ts'
import { stripeApps } from './catalogue/stripe-apps.ts'
import { stripeConnect } from './catalogue/stripe-connect.ts'
import { tiktok } from './catalogue/tiktok.ts'
import { tiktokBusiness } from './catalogue/tiktok-business.ts'
import { twitch } from './catalogue/twitch.ts'
import { wahoo } from './catalogue/wahoo.ts'
import { webflow } from './catalogue/webflow.ts'
import { whoop } from './catalogue/whoop.ts'
import { withings } from './catalogue/withings.ts'
import { xTwitter } from './catalogue/x-twitter.ts'
import { xero } from './catalogue/xero.ts'
import { yahoo } from './catalogue/yahoo.ts'
import { youtube } from './catalogue/youtube.ts'
import { zendesk } from './catalogue/zendesk.ts'
import { zoho } from './catalogue/zoho.ts'
import { zoom } from './catalogue/zoom.ts'
import { zoomServerToServer } from './catalogue/zoom-server-to-server.ts'

/** The records that ship with Evergrant. */
export const catalogue: readonly ProviderRecord[] = [
  amazonAdsNa,
  amazonAdsEu,
  amazonAdsFe,
  airtable,
  amazonSpApi,
  apple,
  asana,
  atlassian,
  auth0,
  basecamp,
  box,
  bullhorn,
  calendly,
  canva,
  clickup,
  coros,
  discord,
  docusign,
  dropbox,
  facebook,
  figma,
  fitbit,
  garmin,
  github,
  githubApp,
  githubInstallation,
  gitlab,
  google,
  googleServiceAccount,
  hubspot,
  instagram,
  intercom,
  intuit,
  keycloak,
  linear,
  linkedin,
  mailchimp,
  microsoft,
  miro,
  monday,
  netsuite,
  notion,
  okta,
  oura,
  paypal,
  pinterest,
  pipedrive,
  polar,
  reddit,
  ringcentral,
  salesforce,
  sentry,
  shopify,
  slack,
  slackRotation,
  smartOnFhir,
  snowflake,
  spotify,
  square,
  strava,
  stripeApps,
  stripeConnect,
  tiktok,
  tiktokBusiness,
  twitch,
  wahoo,
  webflow,
  whoop,
  withings,
  xTwitter,
  xero,
  yahoo,
  youtube,
  zendesk,
  zoho,
  zoom,
  zoomServerToServer,
  oidc,
  oauth2,
  oauth2ClientCredentials,
  apiKey,
  bearerToken,
  basic,
]
