// Written by scripts/write-connect-words.ts from packages/sdk/src/react/labels. Change the words there.
// biome-ignore-all format: written by a script

export interface Cause {
  readonly title: string
  /** The first whose places can all be filled counts. */
  readonly body: readonly string[]
  readonly primary: string | null
  readonly secondary: string | null
}

export type CauseCode =
  | 'connection_expired'
  | 'connection_revoked'
  | 'refresh_outcome_lost'
  | 'rotated_after_backup'
  | 'grant_kept_elsewhere'
  | 'scope_missing'
  | 'account_mismatch'
  | 'admin_approval_required'
  | 'connection_disconnected'
  | 'client_rejected'
  | 'provider_rate_limited'
  | 'provider_unavailable'
  | 'outcome_unknown'
  | 'unknown'

export type LanguageTag = 'en' | 'de' | 'es' | 'fr' | 'ja' | 'pt'

export const CAUSES: Readonly<Record<LanguageTag, Readonly<Record<CauseCode, Cause>>>> = {
  en: {
    connection_expired: { title: '{P} needs to be reconnected', body: ['Access for {A} expired on {date}. Syncing is paused; nothing was deleted.', 'Access for {A} has expired. Syncing is paused; nothing was deleted.'], primary: 'Reconnect {P}', secondary: 'Remind me tomorrow' },
    connection_revoked: { title: '{P} access was removed', body: ['Someone removed our access to {A} in {P}, or its password or security policy changed. If this was not you, check with your {P} admin.'], primary: 'Reconnect {P}', secondary: 'Disconnect' },
    refresh_outcome_lost: { title: '{P} needs to be reconnected', body: ['The connection to {A} was interrupted while {P} renewed it. Nothing was deleted.'], primary: 'Reconnect {P}', secondary: 'Remind me tomorrow' },
    rotated_after_backup: { title: '{P} needs to be reconnected', body: ['We had to go back to a backup that is older than the connection to {A}. Nothing was deleted.'], primary: 'Reconnect {P}', secondary: null },
    grant_kept_elsewhere: { title: '{P} is connected in another installation', body: ['This is a copy of another installation, which keeps the connection to {P}. Connect again to use {P} here.'], primary: 'Reconnect {P}', secondary: null },
    scope_missing: { title: '{P} needs one more permission', body: ['To {feature}, allow: "{scope}". Other features keep working.', '{P} needs one more permission for this. Other features keep working.'], primary: 'Allow in {P}', secondary: 'Not now' },
    account_mismatch: { title: 'That was a different {P} account', body: ['This connection belongs to {A}; you signed in as {B}. Nothing was changed.', 'This connection belongs to {A}; you signed in with another account. Nothing was changed.'], primary: 'Try again as {A}', secondary: 'Connect {B} as a new connection' },
    admin_approval_required: { title: 'Your {P} admin must approve', body: ['Send this link to an admin of {tenant}.', 'Send this link to an admin of your {P} organization.'], primary: 'Copy request link', secondary: 'I am an admin' },
    connection_disconnected: { title: '{P} is disconnected', body: ['The connection to {A} was disconnected.'], primary: 'Reconnect {P}', secondary: null },
    client_rejected: { title: '{P} is not available right now', body: ['The team was notified.'], primary: null, secondary: 'Contact support' },
    provider_rate_limited: { title: '{P} asked us to slow down', body: ['Requests for {A} resume {T}. Nothing is lost.', 'Requests for {A} resume soon. Nothing is lost.'], primary: null, secondary: 'Details' },
    provider_unavailable: { title: '{P} is not responding', body: ['{P} has problems since {time}. We keep trying; you do not need to reconnect.', '{P} has problems. We keep trying; you do not need to reconnect.'], primary: null, secondary: '{P} status page' },
    outcome_unknown: { title: 'Waiting for {P}', body: ['{P} did not answer. We keep trying; you do not need to reconnect.'], primary: null, secondary: null },
    unknown: { title: 'Something went wrong with {P}', body: ['We are retrying. If it continues, send us this id: {requestId}.', 'We are retrying.'], primary: 'Try again', secondary: 'Copy details' },
  },
  de: {
    connection_expired: { title: '{P} muss neu verbunden werden', body: ['Der Zugriff auf {A} ist am {date} abgelaufen. Die Synchronisierung pausiert; nichts wurde gelöscht.', 'Der Zugriff auf {A} ist abgelaufen. Die Synchronisierung pausiert; nichts wurde gelöscht.'], primary: '{P} neu verbinden', secondary: 'Morgen erinnern' },
    connection_revoked: { title: 'Der Zugriff auf {P} wurde entzogen', body: ['Jemand hat unseren Zugriff auf {A} bei {P} entfernt, oder das Passwort oder eine Sicherheitsrichtlinie wurde geändert. Wenn Sie das nicht waren, fragen Sie die {P}-Administration.'], primary: '{P} neu verbinden', secondary: 'Trennen' },
    refresh_outcome_lost: { title: '{P} muss neu verbunden werden', body: ['Die Verbindung zu {A} wurde unterbrochen, während {P} sie erneuerte. Nichts wurde gelöscht.'], primary: '{P} neu verbinden', secondary: 'Morgen erinnern' },
    rotated_after_backup: { title: '{P} muss neu verbunden werden', body: ['Wir mussten auf eine Sicherung zurückgreifen, die älter ist als die Verbindung zu {A}. Nichts wurde gelöscht.'], primary: '{P} neu verbinden', secondary: null },
    grant_kept_elsewhere: { title: '{P} ist in einer anderen Installation verbunden', body: ['Dies ist die Kopie einer anderen Installation, bei der die Verbindung zu {P} bleibt. Verbinden Sie neu, um {P} hier zu nutzen.'], primary: '{P} neu verbinden', secondary: null },
    scope_missing: { title: '{P} braucht eine weitere Berechtigung', body: ['Für {feature} erlauben Sie bitte: „{scope}“. Alles andere funktioniert weiter.', 'Dafür braucht {P} eine weitere Berechtigung. Alles andere funktioniert weiter.'], primary: 'In {P} erlauben', secondary: 'Nicht jetzt' },
    account_mismatch: { title: 'Das war ein anderes {P}-Konto', body: ['Diese Verbindung gehört zu {A}; Sie haben sich als {B} angemeldet. Nichts wurde geändert.', 'Diese Verbindung gehört zu {A}; Sie haben sich mit einem anderen Konto angemeldet. Nichts wurde geändert.'], primary: 'Nochmals als {A} versuchen', secondary: '{B} als neue Verbindung hinzufügen' },
    admin_approval_required: { title: 'Ihre {P}-Administration muss zustimmen', body: ['Senden Sie diesen Link an die Administration von {tenant}.', 'Senden Sie diesen Link an die Administration Ihrer {P}-Organisation.'], primary: 'Link zur Anfrage kopieren', secondary: 'Ich bin Administrator' },
    connection_disconnected: { title: '{P} ist getrennt', body: ['Die Verbindung zu {A} wurde getrennt.'], primary: '{P} neu verbinden', secondary: null },
    client_rejected: { title: '{P} ist gerade nicht verfügbar', body: ['Das Team wurde benachrichtigt.'], primary: null, secondary: 'Support kontaktieren' },
    provider_rate_limited: { title: '{P} bittet uns, langsamer zu werden', body: ['Anfragen für {A} gehen {T} weiter. Nichts geht verloren.', 'Anfragen für {A} gehen bald weiter. Nichts geht verloren.'], primary: null, secondary: 'Details' },
    provider_unavailable: { title: '{P} antwortet nicht', body: ['{P} hat seit {time} Probleme. Wir versuchen es weiter; Sie müssen nicht neu verbinden.', '{P} hat Probleme. Wir versuchen es weiter; Sie müssen nicht neu verbinden.'], primary: null, secondary: 'Statusseite von {P}' },
    outcome_unknown: { title: 'Warten auf {P}', body: ['{P} hat nicht geantwortet. Wir versuchen es weiter; Sie müssen nicht neu verbinden.'], primary: null, secondary: null },
    unknown: { title: 'Mit {P} ist etwas schiefgegangen', body: ['Wir versuchen es weiter. Wenn es so bleibt, nennen Sie uns diese Kennung: {requestId}.', 'Wir versuchen es weiter.'], primary: 'Erneut versuchen', secondary: 'Details kopieren' },
  },
  es: {
    connection_expired: { title: 'Hay que reconectar {P}', body: ['El acceso a {A} caducó el {date}. La sincronización está en pausa; no se ha borrado nada.', 'El acceso a {A} ha caducado. La sincronización está en pausa; no se ha borrado nada.'], primary: 'Reconectar {P}', secondary: 'Recordármelo mañana' },
    connection_revoked: { title: 'Se retiró el acceso a {P}', body: ['Alguien retiró nuestro acceso a {A} en {P}, o cambió su contraseña o una política de seguridad. Si no fuiste tú, consulta con tu administrador de {P}.'], primary: 'Reconectar {P}', secondary: 'Desconectar' },
    refresh_outcome_lost: { title: 'Hay que reconectar {P}', body: ['La conexión con {A} se interrumpió mientras {P} la renovaba. No se ha borrado nada.'], primary: 'Reconectar {P}', secondary: 'Recordármelo mañana' },
    rotated_after_backup: { title: 'Hay que reconectar {P}', body: ['Tuvimos que volver a una copia de seguridad anterior a la conexión con {A}. No se ha borrado nada.'], primary: 'Reconectar {P}', secondary: null },
    grant_kept_elsewhere: { title: '{P} está conectado en otra instalación', body: ['Esta es una copia de otra instalación, que conserva la conexión con {P}. Vuelve a conectar para usar {P} aquí.'], primary: 'Reconectar {P}', secondary: null },
    scope_missing: { title: '{P} necesita un permiso más', body: ['Para {feature}, permite: «{scope}». Lo demás sigue funcionando.', 'Para esto hace falta un permiso más en {P}. Lo demás sigue funcionando.'], primary: 'Permitir en {P}', secondary: 'Ahora no' },
    account_mismatch: { title: 'Esa era otra cuenta de {P}', body: ['Esta conexión pertenece a {A}; has entrado como {B}. No se ha cambiado nada.', 'Esta conexión pertenece a {A}; has entrado con otra cuenta. No se ha cambiado nada.'], primary: 'Intentar de nuevo como {A}', secondary: 'Añadir {B} como conexión nueva' },
    admin_approval_required: { title: 'Tu administrador de {P} debe aprobarlo', body: ['Envía este enlace a un administrador de {tenant}.', 'Envía este enlace a un administrador de tu organización de {P}.'], primary: 'Copiar el enlace de solicitud', secondary: 'Soy administrador' },
    connection_disconnected: { title: '{P} está desconectado', body: ['La conexión con {A} se desconectó.'], primary: 'Reconectar {P}', secondary: null },
    client_rejected: { title: '{P} no está disponible en este momento', body: ['Hemos avisado al equipo.'], primary: null, secondary: 'Contactar con soporte' },
    provider_rate_limited: { title: '{P} nos pidió ir más despacio', body: ['Las solicitudes de {A} se reanudan {T}. No se pierde nada.', 'Las solicitudes de {A} se reanudan pronto. No se pierde nada.'], primary: null, secondary: 'Detalles' },
    provider_unavailable: { title: '{P} no responde', body: ['{P} tiene problemas desde {time}. Seguimos intentándolo; no hace falta reconectar.', '{P} tiene problemas. Seguimos intentándolo; no hace falta reconectar.'], primary: null, secondary: 'Página de estado de {P}' },
    outcome_unknown: { title: 'Esperando a {P}', body: ['{P} no respondió. Seguimos intentándolo; no hace falta reconectar.'], primary: null, secondary: null },
    unknown: { title: 'Algo falló con {P}', body: ['Lo estamos reintentando. Si continúa, envíanos este identificador: {requestId}.', 'Lo estamos reintentando.'], primary: 'Reintentar', secondary: 'Copiar los detalles' },
  },
  fr: {
    connection_expired: { title: '{P} doit être reconnecté', body: ["L'accès à {A} a expiré le {date}. La synchronisation est en pause ; rien n'a été supprimé.", "L'accès à {A} a expiré. La synchronisation est en pause ; rien n'a été supprimé."], primary: 'Reconnecter {P}', secondary: 'Me le rappeler demain' },
    connection_revoked: { title: "L'accès à {P} a été retiré", body: ["Quelqu'un a retiré notre accès à {A} dans {P}, ou le mot de passe ou une règle de sécurité a changé. Si ce n'était pas vous, contactez votre administrateur {P}."], primary: 'Reconnecter {P}', secondary: 'Déconnecter' },
    refresh_outcome_lost: { title: '{P} doit être reconnecté', body: ["La connexion à {A} a été interrompue pendant que {P} la renouvelait. Rien n'a été supprimé."], primary: 'Reconnecter {P}', secondary: 'Me le rappeler demain' },
    rotated_after_backup: { title: '{P} doit être reconnecté', body: ["Nous avons dû revenir à une sauvegarde plus ancienne que la connexion à {A}. Rien n'a été supprimé."], primary: 'Reconnecter {P}', secondary: null },
    grant_kept_elsewhere: { title: '{P} est connecté dans une autre installation', body: ["Ceci est la copie d'une autre installation, qui garde la connexion à {P}. Reconnectez pour utiliser {P} ici."], primary: 'Reconnecter {P}', secondary: null },
    scope_missing: { title: '{P} demande une autorisation de plus', body: ['Pour {feature}, autorisez : « {scope} ». Les autres fonctions continuent de marcher.', 'Il faut une autorisation de plus dans {P} pour cela. Les autres fonctions continuent de marcher.'], primary: 'Autoriser dans {P}', secondary: 'Pas maintenant' },
    account_mismatch: { title: "C'était un autre compte {P}", body: ["Cette connexion appartient à {A} ; vous vous êtes connecté en tant que {B}. Rien n'a été modifié.", "Cette connexion appartient à {A} ; vous avez utilisé un autre compte. Rien n'a été modifié."], primary: 'Réessayer avec {A}', secondary: 'Ajouter {B} comme nouvelle connexion' },
    admin_approval_required: { title: 'Votre administrateur {P} doit approuver', body: ['Envoyez ce lien à un administrateur de {tenant}.', 'Envoyez ce lien à un administrateur de votre organisation {P}.'], primary: 'Copier le lien de demande', secondary: 'Je suis administrateur' },
    connection_disconnected: { title: '{P} est déconnecté', body: ['La connexion à {A} a été coupée.'], primary: 'Reconnecter {P}', secondary: null },
    client_rejected: { title: "{P} n'est pas disponible pour le moment", body: ["L'équipe a été prévenue."], primary: null, secondary: "Contacter l'assistance" },
    provider_rate_limited: { title: '{P} nous demande de ralentir', body: ["Les requêtes pour {A} reprennent {T}. Rien n'est perdu.", "Les requêtes pour {A} reprennent bientôt. Rien n'est perdu."], primary: null, secondary: 'Détails' },
    provider_unavailable: { title: '{P} ne répond pas', body: ["{P} a des problèmes depuis {time}. Nous continuons d'essayer ; vous n'avez pas à reconnecter.", "{P} a des problèmes. Nous continuons d'essayer ; vous n'avez pas à reconnecter."], primary: null, secondary: "Page d'état de {P}" },
    outcome_unknown: { title: 'En attente de {P}', body: ["{P} n'a pas répondu. Nous continuons d'essayer ; vous n'avez pas à reconnecter."], primary: null, secondary: null },
    unknown: { title: 'Un problème est survenu avec {P}', body: ['Nous réessayons. Si cela continue, envoyez-nous cet identifiant : {requestId}.', 'Nous réessayons.'], primary: 'Réessayer', secondary: 'Copier les détails' },
  },
  ja: {
    connection_expired: { title: '{P} への再接続が必要です', body: ['{A} へのアクセスは {date} に期限切れになりました。同期は一時停止中です。削除されたものはありません。', '{A} へのアクセスの期限が切れました。同期は一時停止中です。削除されたものはありません。'], primary: '{P} に再接続', secondary: '明日もう一度知らせる' },
    connection_revoked: { title: '{P} へのアクセスが取り消されました', body: ['{P} で {A} へのアクセスが取り消されたか、パスワードまたはセキュリティポリシーが変更されました。心当たりがない場合は {P} の管理者に確認してください。'], primary: '{P} に再接続', secondary: '切断' },
    refresh_outcome_lost: { title: '{P} への再接続が必要です', body: ['{P} が更新している間に {A} への接続が中断されました。削除されたものはありません。'], primary: '{P} に再接続', secondary: '明日もう一度知らせる' },
    rotated_after_backup: { title: '{P} への再接続が必要です', body: ['{A} への接続より古いバックアップに戻す必要がありました。削除されたものはありません。'], primary: '{P} に再接続', secondary: null },
    grant_kept_elsewhere: { title: '{P} は別の環境で接続されています', body: ['これは別の環境のコピーで、{P} への接続は元の環境にあります。ここで {P} を使うには接続し直してください。'], primary: '{P} に再接続', secondary: null },
    scope_missing: { title: '{P} に追加の許可が必要です', body: ['{feature}には「{scope}」を許可してください。ほかの機能は引き続き使えます。', 'この操作には {P} で追加の許可が必要です。ほかの機能は引き続き使えます。'], primary: '{P} で許可', secondary: '後で' },
    account_mismatch: { title: '別の {P} アカウントでした', body: ['この接続は {A} のものですが、{B} でサインインしました。変更はありません。', 'この接続は {A} のものですが、別のアカウントでサインインしました。変更はありません。'], primary: '{A} でやり直す', secondary: '{B} を新しい接続として追加' },
    admin_approval_required: { title: '{P} の管理者の承認が必要です', body: ['このリンクを {tenant} の管理者に送ってください。', 'このリンクを {P} の組織の管理者に送ってください。'], primary: '申請リンクをコピー', secondary: '自分が管理者です' },
    connection_disconnected: { title: '{P} は切断されています', body: ['{A} への接続は切断されました。'], primary: '{P} に再接続', secondary: null },
    client_rejected: { title: '{P} は現在利用できません', body: ['担当チームに通知しました。'], primary: null, secondary: 'サポートに連絡' },
    provider_rate_limited: { title: '{P} からアクセスを抑えるよう求められました', body: ['{A} のリクエストは{T}に再開します。失われるものはありません。', '{A} のリクエストはまもなく再開します。失われるものはありません。'], primary: null, secondary: '詳細' },
    provider_unavailable: { title: '{P} が応答していません', body: ['{P} では {time} から問題が発生しています。再試行を続けています。再接続は不要です。', '{P} で問題が発生しています。再試行を続けています。再接続は不要です。'], primary: null, secondary: '{P} の稼働状況' },
    outcome_unknown: { title: '{P} の応答を待っています', body: ['{P} から応答がありませんでした。再試行を続けています。再接続は不要です。'], primary: null, secondary: null },
    unknown: { title: '{P} で問題が発生しました', body: ['再試行しています。続く場合は、この ID をお知らせください: {requestId}', '再試行しています。'], primary: '再試行', secondary: '詳細をコピー' },
  },
  pt: {
    connection_expired: { title: '{P} precisa ser reconectado', body: ['O acesso a {A} expirou em {date}. A sincronização está pausada; nada foi apagado.', 'O acesso a {A} expirou. A sincronização está pausada; nada foi apagado.'], primary: 'Reconectar {P}', secondary: 'Lembrar amanhã' },
    connection_revoked: { title: 'O acesso a {P} foi removido', body: ['Alguém removeu nosso acesso a {A} em {P}, ou a senha ou uma política de segurança mudou. Se não foi você, fale com o administrador de {P}.'], primary: 'Reconectar {P}', secondary: 'Desconectar' },
    refresh_outcome_lost: { title: '{P} precisa ser reconectado', body: ['A conexão com {A} foi interrompida enquanto {P} a renovava. Nada foi apagado.'], primary: 'Reconectar {P}', secondary: 'Lembrar amanhã' },
    rotated_after_backup: { title: '{P} precisa ser reconectado', body: ['Tivemos de voltar a um backup mais antigo que a conexão com {A}. Nada foi apagado.'], primary: 'Reconectar {P}', secondary: null },
    grant_kept_elsewhere: { title: '{P} está conectado em outra instalação', body: ['Esta é uma cópia de outra instalação, que mantém a conexão com {P}. Conecte de novo para usar {P} aqui.'], primary: 'Reconectar {P}', secondary: null },
    scope_missing: { title: '{P} precisa de mais uma permissão', body: ['Para {feature}, permita: "{scope}". O resto continua funcionando.', 'Isto precisa de mais uma permissão em {P}. O resto continua funcionando.'], primary: 'Permitir em {P}', secondary: 'Agora não' },
    account_mismatch: { title: 'Essa era outra conta de {P}', body: ['Esta conexão pertence a {A}; você entrou como {B}. Nada foi alterado.', 'Esta conexão pertence a {A}; você entrou com outra conta. Nada foi alterado.'], primary: 'Tentar de novo como {A}', secondary: 'Adicionar {B} como nova conexão' },
    admin_approval_required: { title: 'Seu administrador de {P} precisa aprovar', body: ['Envie este link a um administrador de {tenant}.', 'Envie este link a um administrador da sua organização em {P}.'], primary: 'Copiar link da solicitação', secondary: 'Sou administrador' },
    connection_disconnected: { title: '{P} está desconectado', body: ['A conexão com {A} foi desfeita.'], primary: 'Reconectar {P}', secondary: null },
    client_rejected: { title: '{P} não está disponível agora', body: ['A equipe foi avisada.'], primary: null, secondary: 'Falar com o suporte' },
    provider_rate_limited: { title: '{P} pediu para irmos mais devagar', body: ['As solicitações de {A} continuam {T}. Nada se perde.', 'As solicitações de {A} continuam em breve. Nada se perde.'], primary: null, secondary: 'Detalhes' },
    provider_unavailable: { title: '{P} não está respondendo', body: ['{P} tem problemas desde {time}. Continuamos tentando; você não precisa reconectar.', '{P} tem problemas. Continuamos tentando; você não precisa reconectar.'], primary: null, secondary: 'Página de status de {P}' },
    outcome_unknown: { title: 'Esperando {P}', body: ['{P} não respondeu. Continuamos tentando; você não precisa reconectar.'], primary: null, secondary: null },
    unknown: { title: 'Algo deu errado com {P}', body: ['Estamos tentando de novo. Se continuar, envie-nos este código: {requestId}.', 'Estamos tentando de novo.'], primary: 'Tentar de novo', secondary: 'Copiar detalhes' },
  },
}
