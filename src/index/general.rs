//! The words that projects have in common, whatever they are about. Pure.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::token::word_bucket;

/// Whether a word is one of cards in general, such as `value`, `file` or `return`: of what a card is about it says little, and on a
/// board of other things it may be rare, so that its idf doesn't tell.
pub fn is_general(bucket: u32) -> bool {
    static BUCKETS: LazyLock<HashSet<u32>> = LazyLock::new(|| STEMS.split(' ').map(word_bucket).collect());
    BUCKETS.contains(&bucket)
}

/// Sorted. The stems that half of the sets of `benches/retrieval` have and that, in the mean over the sets, one card in a hundred has, less those
/// that name a subject (`account`), and with a few of task boards (`bug`, `task`).
const STEMS: &str = "abl accept access accord activ actual add addit address affect allow alreadi altern alway anoth appear appli applic appropri \
arbitrari arg assign assum attach attempt attribut avail back base basic behavior better binari bit bodi boolean bug build \
call cannot capabl card case caus certain chang check clean client close code combin come command common compil complet \
comput condit configur confirm confus connect consid consist constraint construct contain content context control copi core \
correct correspond count creat current custom data databas date day db debug declar default defin definit delet depend \
describ descript design desir detail detect develop differ direct disabl discuss display distinct distribut document doesn \
done due edit effect either element els empti enabl encod end engin ensur entiti entri error establish evalu even event \
everi exampl except execut exist expect expir explicit express extend extern fail failur fals featur field file filter find \
first fix flag follow form format forward found full function general generat get given go group handl header help hi host \
howev html http https id identifi ignor impact implement implicit import improv includ index indic info inform initi input \
insert instal instanc instead integr intend interfac internal introduc invalid issu key keyword kind know known languag last \
later least length less let level like line link list load local locat log long look loop made main maintain make manag mani \
manual match max mean mechan messag metadata method might miss mix mode model modifi modul move multipl name necessari need \
never new next non normal note null number obj object observ occur ok old one open oper option order org origin os otherwis \
output outsid overflow overrid packag page paramet parent part particular pass path per perform person place point polici \
posit possibl post potenti pre presenc present previous privat probabl problem process produc product program project proper \
properti protect protocol provid purpos queri rang rather re read real reason receiv recent recogn record reduc refactor \
refer regard regardless region regress regular reject relat relev remov replac report repres reproduc request requir resolv \
respect respond respons result retriev return review right root rule run save scope search second section secur see seem \
select self send sequenc server servic set share show shown side similar simpl sinc singl site situat size small softwar \
sourc special specif specifi standard start state statement status step still store string subject success suggest support \
system tabl take target task test text though ticket time todo tool top total transfer tri trigger true two type uniqu unit \
unless updat usag use user util valid valu verifi version view visit want way well whether window within without work \
workaround write www year yet zero";

#[cfg(test)]
mod tests {
    use super::super::token::Tokenizer;
    use super::*;

    #[test]
    fn stems_are_found_however_a_word_is_spelt() {
        let general = |text: &str| Tokenizer::default().buckets(text).into_iter().map(is_general).collect::<Vec<_>>();
        assert_eq!(general("Returns valid values required properties"), [true; 5]);
        assert_eq!(general("subscriber zebra"), [false; 2]);
    }

    #[test]
    fn stems_are_sorted_and_count_as_words() {
        let stems: Vec<&str> = STEMS.split(' ').collect();
        assert!(stems.is_sorted_by(|a, b| a < b));
        let mut tokenizer = Tokenizer::default();
        let dropped: Vec<&&str> = stems.iter().filter(|stem| tokenizer.buckets(stem).is_empty()).collect();
        assert!(dropped.is_empty(), "{dropped:?}");
    }
}
