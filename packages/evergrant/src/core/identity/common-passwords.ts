/**
 * Passwords that everybody tries first. Composed by hand from what published studies of passwords agree on (given names, teams,
 * pets, love, games, months, keyboards, the word itself in many languages), not copied from any leaked list: the words below are
 * the stems, and the list is each stem with the endings that people add, all in lower case. `isCommon` also undoes the usual
 * disguises (`p@ssw0rd`), so the list stands for many more.
 */
const WORDS = `
password passwort passwd passord kennwort contrasena contraseña motdepasse senha parola haslo hasło heslo salasana wachtwoord losenord lösenord
adgangskode jelszo jelszó parool parole sifre şifre passphrase secret geheim secreto segredo segreto tajne mypassword newpassword
thepassword yourpassword nopassword password passpass mypass letmein letmeinnow openup opensesame iloveyou iloveu loveyou lovely
lover lovers love loveme lovelove mylove truelove iloveme babygirl babyboy babylove baby babe sweetheart sweetie honey darling
princess prince king queen angel angels angelina devil heaven jesus jesuschrist christ god godisgood blessed blessing amen
welcome welcometo hello hellohello goodbye administrator admin adminadmin root rootroot toor user username guest guestguest
test testtest tester testing testuser demo default changeme change temp temporary login logon signin access master manager
superuser superman batman spiderman ironman wonderwoman hulk avengers marvel starwars skywalker yoda vader darthvader
jedi matrix trinity neo gandalf frodo hobbit hogwarts harrypotter potter dumbledore hermione pokemon pikachu charizard
naruto sasuke goku dragonball onepiece minecraft fortnite roblox nintendo mario zelda sonic playstation xbox gamer gaming
dragon monkey tiger lion eagle falcon hawk wolf bear panther leopard cheetah elephant dolphin shark turtle snake spider
rabbit bunny kitty kitten kittycat hellokitty cat puppy doggy dog doggie horse pony cowboy chicken duck penguin panda koala
butterfly ladybug dragonfly unicorn phoenix griffin pegasus dinosaur rex trex
football soccer basketball baseball hockey tennis golf volleyball cricket rugby cycling running swimming skater skateboard snowboard
liverpool arsenal chelsea manchester manutd united barcelona realmadrid madrid juventus milan bayern dortmund ajax celtic rangers
everton tottenham newcastle benfica sporting flamengo corinthians palmeiras boca riverplate
lakers celtics bulls knicks yankees redsox cubs dodgers giants cowboys steelers packers patriots raiders eagles broncos dolphins
summer winter spring autumn fall sunshine sunny sunday monday tuesday wednesday thursday friday saturday
january february march april may june july august september october november december
sommer herbst fruhling frühling montag dienstag mittwoch donnerstag freitag samstag sonntag
verano invierno primavera otono otoño lunes martes miercoles jueves viernes sabado domingo
morning night midnight moon moonlight star stars starlight sky ocean sea beach island river mountain forest flower flowers rose
roses lily daisy jasmine violet lavender cherry apple banana orange lemon peach strawberry blueberry chocolate cookie cookies
candy sugar cupcake pancake cheese pizza burger coffee whiskey vodka beer tequila wine
red blue green yellow purple pink black white silver gold golden diamond crystal pearl ruby sapphire emerald
michael michelle jennifer jessica ashley amanda sarah stephanie nicole elizabeth heather melissa danielle brittany samantha
daniel david john johnny james robert william richard joseph thomas charles christopher matthew anthony mark donald steven paul
andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry
justin scott brandon benjamin samuel gregory frank alexander raymond patrick jack dennis jerry tyler aaron jose adam nathan henry
douglas peter zachary kyle walter ethan jeremy harold keith christian roger noah gerald carl terry sean austin arthur lawrence
jesse dylan bryan joe jordan billy bruce albert willie gabriel logan alan juan wayne roy ralph randy eugene vincent russell elijah
louis bobby philip carlos miguel angel luis antonio fernando alejandro ricardo eduardo manuel francisco javier pedro diego sergio
mary patricia linda barbara susan karen nancy lisa betty margaret sandra kimberly emily donna carol deborah rebecca sharon laura
cynthia kathleen amy shirley angela helen anna brenda pamela emma katherine catherine christine samantha debra rachel carolyn janet
maria diane virginia julie joyce victoria olivia kelly christina lauren joan evelyn judith megan cheryl andrea hannah jacqueline
martha gloria teresa sara madison frances kathryn janice jean abigail alice julia judy sophia grace denise amber doris marilyn
beverly isabella theresa diana natalie charlotte marie kayla alexis lori valentina camila gabriela daniela carolina fernanda
mohammed muhammad ahmed ali hassan hussein omar fatima aisha yusuf ibrahim khalid
ivan dmitri sergei natasha svetlana tatiana olga vladimir alexei andrei nikita mikhail
thomas stefan andreas markus matthias sebastian tobias florian alexander katharina sabine claudia monika ursula
pierre nicolas julien antoine camille chloe manon marion doudou loulou chouchou soleil bonjour azerty marseille
bella lucky max buddy charlie rocky jack molly bailey coco daisy lucy maggie sophie sadie chloe toby tucker bear duke shadow
oscar rusty sammy simba tigger winnie pooh mickey minnie donald snoopy garfield tweety scooby barney barbie dora elmo
london paris berlin madrid rome moscow newyork chicago boston dallas houston phoenix denver seattle miami vegas texas california
florida america american usa canada mexico brazil brasil argentina colombia espana españa germany deutschland france italy italia
india pakistan china japan korea russia poland polska portugal turkey turkiye egypt africa australia
ferrari porsche mercedes bmw audi volkswagen toyota honda yamaha kawasaki ducati harley harleydavidson corvette mustang camaro
chevrolet chevy ford nissan subaru mazda jaguar lamborghini bugatti
metallica nirvana slipknot linkinpark greenday blink eminem tupac beyonce rihanna shakira madonna prince beatles elvis queen acdc
ironmaiden ramones blackmetal guitar drummer piano music musica rockstar rocknroll hiphop dance dancer
computer laptop internet network server system windows microsoft google facebook instagram twitter youtube amazon netflix spotify
apple iphone samsung android linux ubuntu cisco oracle database security hacker hacked cyber matrix office company business
money dollar dollars cash rich richie bank lucky jackpot casino poker winner champion victory success number one numberone
freedom liberty peace forever together family mother father mommy daddy mama papa mom dad sister brother grandma grandpa
friend friends friendship bestfriend bestfriends buddy girlfriend boyfriend husband wife wedding married birthday happybirthday
happy happiness smile smiley sunshine beautiful pretty gorgeous handsome sexy hottie cutie cutiepie sweet sugar honeybunny
pussy fuckyou fuckme fuckoff fuck asshole bitch shit bullshit dickhead bastard biteme blowme badboy badgirl bigdick
killer killme hunter sniper soldier warrior ninja samurai pirate viking spartan gladiator knight ranger marine army navy airforce
maverick iceman goose topgun rambo rocky terminator predator alien zombie vampire twilight edward ghost phantom shadow darkness
dark light fire ice water earth wind thunder lightning storm hurricane tornado blizzard snow snowball snowman rainbow
trustno one nothing something anything everything nobody somebody whatever whatsup dontknow idontknow forgot forget forgotit
secretword mysecret private topsecret classified confidential
qwerty qwertyui qwertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc wsxedc azertyuiop qwertz poiuyt lkjhgf mnbvcx
abc abcd abcde abcdef abcdefg abcdefgh aaa xxx zzz
january winter spring summer company city school college university student teacher doctor nurse police lawyer engineer
chester buster hunter cookie pepper ginger peanut pumpkin pickles muffin biscuit noodle waffles nugget oreo smokey bandit
mickeymouse donaldduck bugsbunny spongebob squarepants patrick simpsons homer bart familyguy southpark cartman futurama
startrek enterprise spock kirk picard stargate firefly buffy xfiles mulder scully
thunder thunderbird firebird blackbird bluebird redbird jaybird redwings bluejays
bondjames jamesbond moneypenny goldfinger casinoroyale
`

/** What people put behind a word. */
const ENDINGS = ['', '1', '2', '7', '11', '12', '21', '22', '69', '99', '01', '123', '321', '1234', '12345', '123456', '!', '1!', '123!', '@123', '#1']
const YEARS = Array.from({ length: 14 }, (_, index) => String(2015 + index))

/** Common as they are. */
const WHOLE = `
12345678 123456789 1234567890 12341234 11223344 112233445566 123123123 123321123 147258369 159357456 159753456 741852963 789456123 987654321
87654321 0987654321 00000000 11111111 88888888 12344321 13579246 24681012 31415926 314159265 3141592653 10203040 20202020 19841984 19901990
1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc zaq12wsx zaq1xsw2 q1w2e3r4 q1w2e3r4t5 qwer1234 asdf1234 zxcv1234 1234qwer 12345qwert qweasdzxc
qwe123qwe qweqweqwe asdasdasd zxczxczxc asdfasdf qwerqwer abcd1234 a1b2c3d4 abc12345 aa123456 a1234567 a12345678 abcd12345 pass1234 passw0rd
trustno1 letmein1 iloveyou1 iloveyou2 fuckyou1 fuckyou2 myspace1 ncc1701d ncc1701e thx1138x bond0007 agent007 password1 password12 password123
welcome1 welcome123 changeme1 changeme123 admin123 administrator1 root1234 test1234 user1234 guest123 master123 superman1 batman123 michael1
correcthorsebatterystaple tobeornottobe maytheforcebewithyou openthedoor letmeinplease ihateyou iloveyousomuch ilovemyself ilovegod
godisgreat godislove jesussaves inchallah bismillah alhamdulillah allahuakbar mashallah masha allah insyaallah
`

const split = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/** Words that stay common whatever decoration surrounds them. */
export const COMMON_STEMS: ReadonlySet<string> = new Set(split(WORDS).map((word) => word.normalize('NFC')))

export const COMMON_PASSWORDS: ReadonlySet<string> = new Set([
  ...split(WHOLE),
  ...[...COMMON_STEMS].flatMap((stem) => [...ENDINGS, ...YEARS].map((ending) => stem + ending)),
])
