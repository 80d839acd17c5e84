import type { Labels } from '../labels.ts'

const reconnect = { primary: '{P} neu verbinden' }
const signIn = { primary: 'Anmelden' }

export const de: Labels = {
  locale: 'de',
  provider: 'der Anbieter',
  account: 'Ihr Konto',
  app: 'der Server',
  details: 'Details',
  dismiss: 'Schließen',
  more: { one: '{n} weitere Verbindung braucht Aufmerksamkeit', other: '{n} weitere Verbindungen brauchen Aufmerksamkeit' },
  region: 'Verbindungen',
  status: {
    valid: 'Verbunden',
    expiring: 'Läuft bald ab',
    refreshing: 'Wird erneuert',
    needs_reauth: 'Muss neu verbunden werden',
    unavailable: 'Nicht verfügbar',
    disconnected: 'Getrennt',
    unknown: 'Wird geprüft',
  },
  messages: {
    connection_expired: {
      title: '{P} muss neu verbunden werden',
      body: [
        'Der Zugriff auf {A} ist am {date} abgelaufen. Die Synchronisierung pausiert; nichts wurde gelöscht.',
        'Der Zugriff auf {A} ist abgelaufen. Die Synchronisierung pausiert; nichts wurde gelöscht.',
      ],
      ...reconnect,
      secondary: 'Morgen erinnern',
    },
    connection_expiring: {
      title: 'Zugriff auf {P} endet {T}',
      body: ['Erneuern Sie {A} vor dem {date}, damit nichts unterbrochen wird.'],
      primary: 'Jetzt erneuern',
      secondary: 'Bis 24 Std. vorher ausblenden',
    },
    connection_revoked: {
      title: 'Der Zugriff auf {P} wurde entzogen',
      body: [
        'Jemand hat unseren Zugriff auf {A} bei {P} entfernt, oder das Passwort oder eine Sicherheitsrichtlinie wurde geändert. Wenn Sie das nicht waren, fragen Sie die {P}-Administration.',
      ],
      ...reconnect,
      secondary: 'Trennen',
    },
    refresh_outcome_lost: {
      title: '{P} muss neu verbunden werden',
      body: ['Die Verbindung zu {A} wurde unterbrochen, während {P} sie erneuerte. Nichts wurde gelöscht.'],
      ...reconnect,
      secondary: 'Morgen erinnern',
    },
    rotated_after_backup: {
      title: '{P} muss neu verbunden werden',
      body: ['Wir mussten auf eine Sicherung zurückgreifen, die älter ist als die Verbindung zu {A}. Nichts wurde gelöscht.'],
      ...reconnect,
    },
    grant_kept_elsewhere: {
      title: '{P} ist in einer anderen Installation verbunden',
      body: ['Dies ist die Kopie einer anderen Installation, bei der die Verbindung zu {P} bleibt. Verbinden Sie neu, um {P} hier zu nutzen.'],
      ...reconnect,
    },
    new_credentials_needed: {
      title: '{P} braucht neue Zugangsdaten',
      body: ['Der gespeicherte Schlüssel oder das Passwort für {P} gilt nicht mehr. Nichts wurde gelöscht. Neue Zugangsdaten werden gebraucht.'],
    },
    scope_missing: {
      title: '{P} braucht eine weitere Berechtigung',
      body: [
        'Für {feature} erlauben Sie bitte: „{scope}“. Alles andere funktioniert weiter.',
        'Dafür braucht {P} eine weitere Berechtigung. Alles andere funktioniert weiter.',
      ],
      primary: 'In {P} erlauben',
      secondary: 'Nicht jetzt',
    },
    admin_approval_required: {
      title: 'Ihre {P}-Administration muss zustimmen',
      body: ['Senden Sie diesen Link an die Administration von {tenant}.', 'Senden Sie diesen Link an die Administration Ihrer {P}-Organisation.'],
      primary: 'Link zur Anfrage kopieren',
      secondary: 'Ich bin Administrator',
    },
    account_mismatch: {
      title: 'Das war ein anderes {P}-Konto',
      body: [
        'Diese Verbindung gehört zu {A}; Sie haben sich als {B} angemeldet. Nichts wurde geändert.',
        'Diese Verbindung gehört zu {A}; Sie haben sich mit einem anderen Konto angemeldet. Nichts wurde geändert.',
      ],
      primary: 'Nochmals als {A} versuchen',
      secondary: '{B} als neue Verbindung hinzufügen',
    },
    connection_paused: { title: '{P} ist angehalten', body: ['Die Verbindung zu {A} ist angehalten. Nichts wurde gelöscht.'] },
    connection_disconnected: { title: '{P} ist getrennt', body: ['Die Verbindung zu {A} wurde getrennt.'], ...reconnect },
    client_rejected: { title: '{P} ist gerade nicht verfügbar', body: ['Das Team wurde benachrichtigt.'], secondary: 'Support kontaktieren' },
    provider_rate_limited: {
      title: '{P} bittet uns, langsamer zu werden',
      body: ['Anfragen für {A} gehen {T} weiter. Nichts geht verloren.', 'Anfragen für {A} gehen bald weiter. Nichts geht verloren.'],
      secondary: 'Details',
    },
    provider_unavailable: {
      title: '{P} antwortet nicht',
      body: [
        '{P} hat seit {time} Probleme. Wir versuchen es weiter; Sie müssen nicht neu verbinden.',
        '{P} hat Probleme. Wir versuchen es weiter; Sie müssen nicht neu verbinden.',
      ],
      secondary: 'Statusseite von {P}',
    },
    outcome_unknown: { title: 'Warten auf {P}', body: ['{P} hat nicht geantwortet. Wir versuchen es weiter; Sie müssen nicht neu verbinden.'] },
    deaths_held: {
      title: '{P} wird geprüft',
      body: ['{P} hat viele Verbindungen auf einmal abgelehnt, deshalb prüfen wir das. Sie müssen noch nicht neu verbinden.'],
    },
    refresh_in_progress: { title: '{P} wird erneuert', body: ['Einen Moment: {P} wird gerade erneuert.'] },
    reconnect_waiting: {
      title: 'Warten auf {P}',
      body: ['Schließen Sie die Anmeldung im geöffneten Fenster ab. Fenster geschlossen? Beginnen Sie neu.'],
      primary: 'Erneut öffnen',
      secondary: 'Abbrechen',
    },
    reconnect_cancelled: {
      title: 'Verbindung nicht abgeschlossen',
      body: ['Das Anmeldefenster wurde geschlossen, bevor {P} bestätigt hat.'],
      primary: 'Erneut öffnen',
      secondary: 'Abbrechen',
    },
    popup_blocked: {
      title: 'Ihr Browser hat das Fenster blockiert',
      body: ['Erlauben Sie Pop-ups für diese Seite oder fahren Sie in diesem Tab fort.'],
      primary: 'In diesem Tab fortfahren',
      secondary: 'So erlauben Sie Pop-ups',
    },
    reconnected: { title: 'Wieder verbunden als {A}.', body: [] },
    client_offline: { title: 'Sie sind offline', body: ['Wir versuchen es von selbst wieder. Ihre Arbeit bleibt erhalten.'], primary: 'Jetzt versuchen' },
    service_unreachable: {
      title: '{App} ist nicht erreichbar',
      body: ['Neuer Versuch {T}. Sie sind weiterhin angemeldet.', 'Wir versuchen es erneut. Sie sind weiterhin angemeldet.'],
      primary: 'Jetzt versuchen',
      secondary: 'Statusseite',
    },
    session_missing: { title: 'Bitte melden Sie sich an', body: [], ...signIn },
    session_expired: {
      title: 'Bitte melden Sie sich neu an',
      body: [
        'Sie wurden abgemeldet: {reason}. Ungespeicherte Eingaben auf dieser Seite bleiben erhalten.',
        'Sie wurden abgemeldet, weil Sie länger nicht hier waren. Ungespeicherte Eingaben auf dieser Seite bleiben erhalten.',
      ],
      ...signIn,
    },
    session_signed_out: { title: 'Sie haben sich in einem anderen Tab abgemeldet', body: [], ...signIn },
    session_revoked: {
      title: 'Ihre Sitzung wurde beendet',
      body: ['Wer {App} betreut, hat sie beendet. Melden Sie sich neu an oder fragen Sie nach.'],
      ...signIn,
    },
    session_reuse_detected: {
      title: 'Wir haben diese Sitzung zur Sicherheit beendet',
      body: ['Die Sitzung wurde an zwei Orten benutzt. Melden Sie sich neu an und prüfen Sie die letzten Aktivitäten.'],
      ...signIn,
      secondary: 'Aktivitäten prüfen',
    },
    clock_skew: {
      title: 'Die Uhr Ihres Geräts geht {n} Min. falsch',
      body: ['Die Anmeldung kann scheitern, bis sie gestellt ist.'],
      primary: 'So beheben Sie das',
    },
    unknown: {
      title: 'Mit {P} ist etwas schiefgegangen',
      body: ['Wir versuchen es weiter. Wenn es so bleibt, nennen Sie uns diese Kennung: {requestId}.', 'Wir versuchen es weiter.'],
      primary: 'Erneut versuchen',
      secondary: 'Details kopieren',
    },
  },
}
