//! Choosing a variant: what a buyer has chosen so far, as far as there is such a variant, and what
//! can be chosen next.

use super::{Choice, listing::Offer};

/// Whether a value can be chosen beside what is chosen of the other options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// There is such a variant.
    pub exists: bool,
    /// One of them can be bought.
    pub available: bool,
}

fn has(offer: &Offer<'_>, wanted: &Choice) -> bool {
    let choice = offer.product.choice(&wanted.name);
    choice.is_some_and(|choice| choice.value.eq_ignore_ascii_case(&wanted.value))
}

/// Whether an offer is all that was chosen.
pub fn matches(offer: &Offer<'_>, chosen: &[Choice]) -> bool {
    chosen.iter().all(|wanted| has(offer, wanted))
}

/// What of a wish there is. Where not all of it is there together, an option counts before those
/// that `preferences` names after it, and before those that it does not name.
pub fn effective(offers: &[Offer<'_>], wish: &[Choice], preferences: &[String]) -> Vec<Choice> {
    let rank = |choice: &Choice| {
        let same = |name: &String| name.eq_ignore_ascii_case(&choice.name);
        preferences.iter().position(same).unwrap_or(preferences.len())
    };
    let mut by_rank: Vec<&Choice> = wish.iter().collect();
    by_rank.sort_by_key(|choice| rank(choice));
    let mut chosen: Vec<Choice> = Vec::new();
    for choice in by_rank {
        chosen.push(choice.clone());
        if !offers.iter().any(|offer| matches(offer, &chosen)) {
            chosen.pop();
        }
    }
    // As the shop spells it and in the order of the wish, not as it was typed and ranked.
    let Some(offer) = offers.iter().find(|offer| matches(offer, &chosen)) else { return chosen };
    let kept = |name: &str| chosen.iter().any(|choice| choice.name.eq_ignore_ascii_case(name));
    let spelled = |choice: &Choice| offer.product.choice(&choice.name).cloned();
    wish.iter().filter(|choice| kept(&choice.name)).filter_map(spelled).collect()
}

/// What choosing a value would come to, all else being as chosen.
pub fn signal(
    offers: &[Offer<'_>],
    chosen: &[Choice],
    (name, value): (&str, &str),
    available: impl Fn(&Offer<'_>) -> bool,
) -> Signal {
    let others: Vec<Choice> = chosen
        .iter()
        .filter(|choice| !choice.name.eq_ignore_ascii_case(name))
        .cloned()
        .chain([Choice { name: name.to_owned(), value: value.to_owned() }])
        .collect();
    let fitting = || offers.iter().filter(|offer| matches(offer, &others));
    Signal { exists: fitting().next().is_some(), available: fitting().any(available) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{Money, Sku, Timestamp},
        catalog::Product,
    };
    use proptest::prelude::*;

    fn choice(name: &str, value: &str) -> Choice {
        Choice { name: name.to_owned(), value: value.to_owned() }
    }

    fn variants(made: &[(&str, &str)]) -> Vec<Product> {
        let product = |(at, (color, size)): (usize, &(&str, &str))| Product {
            options: vec![choice("Color", color), choice("Size", size)],
            ..Product::new(
                Sku::parse(&format!("TEE-{at}")).expect("a SKU"),
                "Tee",
                Money::from_minor(1990, "EUR".parse().expect("a currency")),
                Timestamp::from_micros(0),
            )
        };
        made.iter().enumerate().map(product).collect()
    }

    fn offers(products: &[Product]) -> Vec<Offer<'_>> {
        products.iter().map(|product| Offer { product, price: product.price }).collect()
    }

    #[test]
    fn what_matters_most_is_kept() {
        let products = variants(&[("Red", "S"), ("Blue", "M")]);
        let offers = offers(&products);
        let wish = [choice("color", "RED"), choice("Size", "M")];
        let keeps = |preferences: &[&str]| {
            let preferences: Vec<String> = preferences.iter().map(|p| (*p).to_owned()).collect();
            effective(&offers, &wish, &preferences)
        };
        assert_eq!(keeps(&["Color", "Size"]), [choice("Color", "Red")]);
        assert_eq!(keeps(&["Size", "Color"]), [choice("Size", "M")]);
        assert_eq!(keeps(&["Size"]), [choice("Size", "M")], "what is not named goes last");
        assert_eq!(keeps(&[]), [choice("Color", "Red")], "the first one counts first");
        let unknown = [choice("Fabric", "Wool")];
        assert_eq!(effective(&offers, &unknown, &[]), []);
    }

    #[test]
    fn signals_tell_sold_out_from_not_made() {
        let products = variants(&[("Red", "S"), ("Red", "M"), ("Blue", "S")]);
        let offers = offers(&products);
        let chosen = [choice("Color", "Red")];
        let sold_out = |offer: &Offer<'_>| offer.product.sku.as_str() != "TEE-1";
        let tell = |name, value| {
            let Signal { exists, available } = signal(&offers, &chosen, (name, value), sold_out);
            (exists, available)
        };
        assert_eq!(tell("Size", "S"), (true, true));
        assert_eq!(tell("Size", "M"), (true, false));
        assert_eq!(tell("Size", "L"), (false, false));
        assert_eq!(tell("Color", "Blue"), (true, true), "the other colors can be chosen, too");
    }

    proptest! {
        #[test]
        fn what_is_left_of_a_wish_is_there_and_was_wished_for(
            made in prop::collection::vec((0_usize..3, 0_usize..3), 1..6),
            wish in (0_usize..4, 0_usize..4),
            color_first in any::<bool>(),
        ) {
            let (colors, sizes) = (["Red", "Blue", "Green", "None"], ["S", "M", "L", "None"]);
            let made: Vec<_> = made.into_iter().map(|(c, s)| (colors[c], sizes[s])).collect();
            let products = variants(&made);
            let offers = offers(&products);
            let wish = [choice("Color", colors[wish.0]), choice("Size", sizes[wish.1])];
            let mut preferences = vec!["Color".to_owned(), "Size".to_owned()];
            if !color_first {
                preferences.reverse();
            }
            let chosen = effective(&offers, &wish, &preferences);
            prop_assert!(offers.iter().any(|offer| matches(offer, &chosen)));
            prop_assert!(chosen.iter().all(|choice| wish.contains(choice)));
            // Nothing is given up without need: what was given up does not go with the rest.
            let kept = |choice: &&Choice| chosen.contains(choice);
            for lost in wish.iter().filter(|choice| !kept(choice)) {
                let mut all = chosen.clone();
                all.push(lost.clone());
                prop_assert!(!offers.iter().any(|offer| matches(offer, &all)), "{lost:?}");
            }
        }
    }
}
