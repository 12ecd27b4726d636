/// What the page says in one language. `{origin}`, `{size}` and `{root}` stand for the archive's name, the size of its log and the SHA-256 of the
/// root.
pub(super) struct Language {
    /// Its code (BCP 47).
    pub(super) code: &'static str,
    /// Its own name.
    pub(super) name: &'static str,
    pub(super) paragraphs: [&'static str; 6],
}

/// Every language that the page has. English is the one that the others are translated from.
pub(super) const LANGUAGES: [Language; 6] = [
    Language {
        code: "en",
        name: "English",
        paragraphs: [
            "This is a copy of the archive {origin}: documents that its editors published and signed, as of log size {size}. It can be read, checked and copied without the internet, and without whoever gave it to you.",
            "To read it, get the program “daylight”, type the first command below in this folder, and open the address that it prints. Without the program: archive/release holds the documents in ordinary zip files (volume), and the list of them (manifest).",
            "To check it, type the second command, which needs Python 3 with the package “cryptography”, or the third. Either reads every byte and names whatever was damaged, added or left out.",
            "Whoever could forge this copy could forge this page and root.json too. So compare the SHA-256 of root.json with one that you get elsewhere, from the publisher or from somebody you trust. In this copy it is {root}. Without that, the check shows only that the copy is consistent with itself.",
            "A copy cannot show that it is the newest state, that nothing in it was withdrawn since, or that a document tells the truth. In some places it is dangerous to be found with it.",
            "Copy the whole folder as often as you like: every copy is as good as the first. HOW-TO-VERIFY.txt says more.",
        ],
    },
    Language {
        code: "de",
        name: "Deutsch",
        paragraphs: [
            "Dies ist eine Kopie des Archivs {origin}: Dokumente, die seine Redaktion veröffentlicht und unterschrieben hat, Stand: Protokollgröße {size}. Man kann sie ohne Internet lesen, prüfen und kopieren, und ohne den, von dem man sie hat.",
            "Zum Lesen: Besorgen Sie sich das Programm „daylight“, geben Sie in diesem Ordner den ersten Befehl von unten ein, und öffnen Sie die Adresse, die er nennt. Ohne das Programm: In archive/release liegen die Dokumente in gewöhnlichen Zip-Dateien (volume) und ihr Verzeichnis (manifest).",
            "Zum Prüfen: Geben Sie den zweiten Befehl ein (er braucht Python 3 mit dem Paket „cryptography“) oder den dritten. Beide lesen jedes Byte und nennen alles, was beschädigt, hinzugefügt oder weggelassen wurde.",
            "Wer diese Kopie fälschen kann, kann auch diese Seite und root.json fälschen. Vergleichen Sie deshalb den SHA-256 von root.json mit einem, den Sie anderswoher haben: von den Herausgebern oder von jemandem, dem Sie vertrauen. In dieser Kopie ist er {root}. Ohne das zeigt die Prüfung nur, dass die Kopie in sich stimmt.",
            "Eine Kopie kann nicht zeigen, dass sie der neueste Stand ist, dass seither nichts zurückgezogen wurde oder dass ein Dokument die Wahrheit sagt. Mancherorts ist es gefährlich, mit ihr angetroffen zu werden.",
            "Kopieren Sie den ganzen Ordner, so oft Sie wollen: Jede Kopie ist so gut wie die erste. Mehr steht (auf Englisch) in HOW-TO-VERIFY.txt.",
        ],
    },
    Language {
        code: "es",
        name: "Español",
        paragraphs: [
            "Esta es una copia del archivo {origin}: documentos que sus editores publicaron y firmaron, con el registro en el tamaño {size}. Se puede leer, comprobar y copiar sin internet y sin quien se la dio.",
            "Para leerla, consiga el programa «daylight», escriba en esta carpeta la primera orden de abajo y abra la dirección que muestra. Sin el programa: en archive/release están los documentos en archivos zip comunes (volume) y su lista (manifest).",
            "Para comprobarla, escriba la segunda orden, que necesita Python 3 con el paquete «cryptography», o la tercera. Ambas leen cada byte y nombran todo lo que fue dañado, añadido u omitido.",
            "Quien pueda falsificar esta copia puede falsificar también esta página y root.json. Compare por eso el SHA-256 de root.json con uno que obtenga en otro lugar, de los editores o de alguien en quien confíe. En esta copia es {root}. Sin eso, la comprobación solo muestra que la copia es coherente consigo misma.",
            "Una copia no puede mostrar que sea el estado más reciente, que nada se haya retirado desde entonces ni que un documento diga la verdad. En algunos lugares es peligroso ser encontrado con ella.",
            "Copie la carpeta entera cuantas veces quiera: cada copia vale tanto como la primera. HOW-TO-VERIFY.txt (en inglés) dice más.",
        ],
    },
    Language {
        code: "fr",
        name: "Français",
        paragraphs: [
            "Ceci est une copie de l’archive {origin} : des documents que ses rédacteurs ont publiés et signés, le journal ayant la taille {size}. On peut la lire, la vérifier et la copier sans internet et sans la personne qui vous l’a donnée.",
            "Pour la lire, procurez-vous le programme « daylight », tapez dans ce dossier la première commande ci-dessous et ouvrez l’adresse qu’elle affiche. Sans le programme : archive/release contient les documents dans des fichiers zip ordinaires (volume) et leur liste (manifest).",
            "Pour la vérifier, tapez la deuxième commande, qui demande Python 3 avec le paquet « cryptography », ou la troisième. L’une et l’autre lisent chaque octet et nomment tout ce qui a été abîmé, ajouté ou omis.",
            "Qui peut falsifier cette copie peut aussi falsifier cette page et root.json. Comparez donc le SHA-256 de root.json avec celui que vous obtenez ailleurs, des éditeurs ou d’une personne de confiance. Dans cette copie, c’est {root}. Sans cela, la vérification montre seulement que la copie est cohérente avec elle-même.",
            "Une copie ne peut montrer ni qu’elle est l’état le plus récent, ni que rien n’en a été retiré depuis, ni qu’un document dit la vérité. En certains lieux, il est dangereux d’être trouvé avec elle.",
            "Copiez le dossier entier autant de fois que vous voulez : chaque copie vaut la première. HOW-TO-VERIFY.txt (en anglais) en dit plus.",
        ],
    },
    Language {
        code: "pt",
        name: "Português",
        paragraphs: [
            "Esta é uma cópia do arquivo {origin}: documentos que os seus editores publicaram e assinaram, com o registo no tamanho {size}. Pode ser lida, verificada e copiada sem internet e sem quem a deu.",
            "Para a ler, obtenha o programa «daylight», escreva nesta pasta o primeiro comando abaixo e abra o endereço que ele mostra. Sem o programa: em archive/release estão os documentos em ficheiros zip comuns (volume) e a sua lista (manifest).",
            "Para a verificar, escreva o segundo comando, que precisa de Python 3 com o pacote «cryptography», ou o terceiro. Ambos leem cada byte e nomeiam tudo o que foi danificado, acrescentado ou omitido.",
            "Quem puder falsificar esta cópia pode falsificar também esta página e root.json. Compare por isso o SHA-256 de root.json com um que obtenha noutro lugar, dos editores ou de alguém em quem confie. Nesta cópia é {root}. Sem isso, a verificação mostra apenas que a cópia é coerente consigo mesma.",
            "Uma cópia não pode mostrar que é o estado mais recente, que nada foi retirado desde então, nem que um documento diz a verdade. Em alguns lugares é perigoso ser encontrado com ela.",
            "Copie a pasta inteira quantas vezes quiser: cada cópia vale tanto como a primeira. HOW-TO-VERIFY.txt (em inglês) diz mais.",
        ],
    },
    Language {
        code: "ru",
        name: "Русский",
        paragraphs: [
            "Это копия архива {origin}: документы, которые его редакторы опубликовали и подписали, при размере журнала {size}. Её можно читать, проверять и копировать без интернета и без того, кто вам её дал.",
            "Чтобы читать, найдите программу «daylight», наберите в этой папке первую из команд ниже и откройте адрес, который она покажет. Без программы: в archive/release лежат документы в обычных файлах zip (volume) и их список (manifest).",
            "Чтобы проверить, наберите вторую команду (ей нужен Python 3 с пакетом «cryptography») или третью. Обе читают каждый байт и называют всё, что повреждено, добавлено или пропущено.",
            "Кто может подделать эту копию, может подделать и эту страницу, и root.json. Поэтому сравните SHA-256 файла root.json с тем, который получите в другом месте: от издателей или от человека, которому доверяете. В этой копии он {root}. Без этого проверка показывает только то, что копия не противоречит сама себе.",
            "Копия не может показать, что она самая новая, что с тех пор из неё ничего не отозвали или что документ говорит правду. В некоторых местах опасно, если её у вас найдут.",
            "Копируйте всю папку сколько угодно раз: каждая копия не хуже первой. Подробнее (по-английски) в HOW-TO-VERIFY.txt.",
        ],
    },
];
