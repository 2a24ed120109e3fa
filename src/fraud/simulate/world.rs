//! What differs from one made-up shop to the next: habits of those who buy, ways of those who
//! steal. Each world draws its own from wide ranges, so that what gives an attacker away in one is
//! what good people do in another, and nothing but several signs together can be learned.

use super::{Mix, countries::COUNTRIES, dice::Dice, storefront::SHARES};

/// Declares shares and the ranges they are drawn from at once, so that none can be without the
/// other. Of a thousand, unless a field says something else.
macro_rules! drawn {
    ($(#[$doc:meta])* $drawn:ident from $ranges:ident {
        $($(#[$says:meta])* $field:ident,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $drawn { $($(#[$says])* pub $field: u32,)* }

        /// From where to where each share is drawn.
        #[derive(Debug)]
        struct $ranges { $($field: (u32, u32),)* }

        impl $ranges {
            fn draw(&self, dice: &Dice<'_>) -> $drawn {
                $drawn { $($field: dice.between(self.$field.0, self.$field.1),)* }
            }
        }
    };
}

drawn! {
    /// What the shop sells, and how its customers live.
    Habits from HabitRanges {
        /// Attacked attempts, of a hundred thousand.
        attacked,
        /// The median price of an item, in cents.
        price,
        /// Whether a shop sells to other shops: dozens of items, hundreds of units.
        wholesale,
        /// Orders of digital goods alone.
        digital,
        /// Orders with a gift card.
        gift_cards,
        /// Orders with a discount.
        discounts,
        /// Orders far larger than usual: a company's, a wedding's.
        large,
        /// Payments that fail at first.
        declined,
        /// Customers from abroad.
        abroad,
        /// Customers whose card is of another country than they live in.
        expats,
        /// Customers without an account.
        guests,
        /// Accounts made before the first day.
        settled,
        /// Customers with an e-mail address for a day.
        throwaway,
        /// Customers who pay with a phone's wallet.
        wallets,
        /// Customers who let an agent buy.
        agents,
        /// Customers who live with the one before: households, dormitories.
        together,
        /// Customers who collect from a locker.
        lockers,
        /// Customers who have it sent to the office.
        offices,
        /// Customers behind a virtual network, which is in any country.
        tunnels,
        /// Orders sent to somebody else.
        presents,
        /// Orders from a journey.
        journeys,
        /// Orders from a device the shop does not know: a new one, or cookies that were deleted.
        new_devices,
        /// Orders from a device that others use, too.
        shared_devices,
        /// Orders from a home whose network address has changed.
        new_nets,
        /// Orders with a card the shop does not know.
        new_cards,
        /// Orders within seconds: wallets, one click, a server that opens and pays in one.
        hurried,
    }
}

drawn! {
    /// How one attacker goes about it.
    Ways from WayRanges {
        /// From a network abroad.
        net_abroad,
        /// Within the networks of real customers.
        real_nets,
        /// With cards of other countries.
        card_abroad,
        /// To an address in another country.
        ships_abroad,
        /// To another address than the bill's.
        bill_differs,
        /// With an e-mail address for a day.
        throwaway,
        /// With an account.
        accounts,
        /// … that was made weeks before.
        aged,
        /// Within seconds.
        hurried,
        /// With a phone's wallet.
        wallets,
        /// As an agent, or through one.
        agents,
        /// For what is sold again easily: the dearest, gift cards, codes.
        resale,
        /// Each thing that a tester of cards does not change from one to the next.
        keeps,
        /// Seconds between two cards.
        pace,
        /// Cards that turn out to be bad.
        fails,
        /// Tries with a tiny amount.
        tiny,
    }
}

const HABITS: HabitRanges = HabitRanges {
    attacked: (100, 1_000),
    price: (1_000, 30_000),
    wholesale: (0, 1_000),
    digital: (0, 400),
    gift_cards: (0, 60),
    discounts: (30, 400),
    large: (5, 30),
    declined: (10, 80),
    abroad: (20, 200),
    expats: (5, 60),
    guests: (100, 800),
    settled: (200, 900),
    throwaway: (1, 40),
    wallets: (50, 700),
    agents: (0, 200),
    together: (100, 600),
    lockers: (0, 250),
    offices: (0, 80),
    tunnels: (0, 40),
    presents: (20, 100),
    journeys: (5, 30),
    new_devices: (5, 100),
    shared_devices: (10, 200),
    new_nets: (20, 200),
    new_cards: (10, 60),
    hurried: (0, 300),
};

const WAYS: WayRanges = WayRanges {
    net_abroad: (0, 800),
    real_nets: (0, 900),
    card_abroad: (0, 600),
    ships_abroad: (0, 200),
    bill_differs: (250, 950),
    throwaway: (0, 500),
    accounts: (50, 900),
    aged: (0, 600),
    hurried: (0, 800),
    wallets: (0, 600),
    agents: (0, 300),
    resale: (600, 1_000),
    keeps: (100, 900),
    pace: (2, 900),
    fails: (500, 970),
    tiny: (0, 1_000),
};

/// Other people than any that were trained on: half of them in lockers, offices and dormitories,
/// few of whom come back known.
const OTHER_HABITS: HabitRanges = HabitRanges {
    price: (2_000, 60_000),
    discounts: (200, 600),
    large: (10, 40),
    declined: (30, 100),
    abroad: (60, 250),
    expats: (20, 60),
    together: (500, 800),
    lockers: (150, 400),
    offices: (40, 150),
    tunnels: (10, 40),
    journeys: (10, 40),
    new_devices: (30, 110),
    new_nets: (50, 250),
    ..HABITS
};

/// Slower, spread wider and better disguised: the card's own country, networks of real customers,
/// accounts aged for weeks, hours between two cards.
const OTHER_WAYS: WayRanges = WayRanges {
    net_abroad: (100, 500),
    real_nets: (200, 900),
    card_abroad: (50, 400),
    ships_abroad: (0, 100),
    bill_differs: (200, 850),
    throwaway: (0, 150),
    accounts: (300, 900),
    aged: (400, 900),
    hurried: (0, 400),
    keeps: (150, 500),
    pace: (600, 5_400),
    fails: (500, 900),
    tiny: (0, 300),
    ..WAYS
};

/// Shops differ in which countries they sell to, by this many to one.
const HOME_OR_ABROAD: u32 = 1_000;

/// One made-up shop.
#[derive(Debug)]
pub struct World {
    /// Its number, from 0.
    pub number: u16,
    /// The country it is in.
    pub home: u8,
    /// Its habits.
    pub habits: Habits,
    /// Whether it sells to other shops.
    pub is_wholesale: bool,
    /// How many orders of a thousand come through each storefront.
    pub storefronts: [u32; SHARES.len()],
    /// How much each attack weighs.
    pub attacks: [u32; 6],
    mix: Mix,
}

impl World {
    /// Draws a world.
    pub fn draw(number: u16, mix: Mix, dice: &Dice<'_>) -> Self {
        let habits = match mix {
            Mix::Usual => HABITS.draw(dice),
            Mix::Unseen => OTHER_HABITS.draw(dice),
        };
        // One in eight sells to other shops.
        let is_wholesale = habits.wholesale < 125;
        Self {
            number,
            home: dice.below(COUNTRIES.len() as u32) as u8,
            habits,
            is_wholesale,
            storefronts: SHARES.map(|(_, share)| share * dice.between(20, 180) / 100),
            attacks: std::array::from_fn(|_| dice.between(20, 180)),
            mix,
        }
    }

    /// The ways of one more attacker.
    pub fn ways(&self, dice: &Dice<'_>) -> Ways {
        match self.mix {
            Mix::Usual => WAYS.draw(dice),
            Mix::Unseen => OTHER_WAYS.draw(dice),
        }
    }

    /// Whether attackers are of the kind that nothing was trained on.
    pub fn is_unseen(&self) -> bool {
        self.mix == Mix::Unseen
    }

    /// The shop's own country, or so many times of a thousand another.
    pub fn country(&self, abroad: u32, dice: &Dice<'_>) -> u8 {
        debug_assert!(abroad <= HOME_OR_ABROAD, "a share is of a thousand");
        match dice.per_mille(abroad) {
            true => dice.below(COUNTRIES.len() as u32) as u8,
            false => self.home,
        }
    }
}
