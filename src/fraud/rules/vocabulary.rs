//! The names that a rule may use: one table, which the check reads, evaluation computes, and
//! `GET /v1/rules/language` lists.

use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

use super::list::ListKind;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a point.
    Double,
    /// A text.
    Text,
    /// Truth values.
    Bools,
    /// Whole numbers.
    Ints,
    /// Numbers with a point.
    Doubles,
    /// Texts.
    Texts,
}

impl Type {
    /// Whether it is a number.
    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// The type of a list's items.
    pub(super) const fn item(self) -> Option<Self> {
        match self {
            Self::Bools => Some(Self::Bool),
            Self::Ints => Some(Self::Int),
            Self::Doubles => Some(Self::Double),
            Self::Texts => Some(Self::Text),
            _ => None,
        }
    }

    /// The type of a list of such items.
    pub(super) const fn list(self) -> Option<Self> {
        match self {
            Self::Bool => Some(Self::Bools),
            Self::Int => Some(Self::Ints),
            Self::Double => Some(Self::Doubles),
            Self::Text => Some(Self::Texts),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "a truth value",
            Self::Int => "a whole number",
            Self::Double => "a number with a point",
            Self::Text => "a text",
            Self::Bools => "a list of truth values",
            Self::Ints => "a list of whole numbers",
            Self::Doubles => "a list of numbers with a point",
            Self::Texts => "a list of texts",
        })
    }
}

/// When a variable is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Always.
    Always,
    /// When the storefront says so, a model scores, or there is a rate for the currency.
    WhenTold,
    /// Once the issuer was asked.
    AfterAuthorization,
}

/// One variable, as it is listed.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct VariableRow {
    /// Its name in an expression.
    pub name: &'static str,
    /// What it is.
    pub r#type: Type,
    /// When it is known; what is missing matches nothing.
    pub known: Known,
    /// What it says.
    pub says: &'static str,
    /// The kind of list that it can be looked up in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<ListKind>,
}

macro_rules! list {
    () => {
        None
    };
    ($kind:ident) => {
        Some(ListKind::$kind)
    };
}

/// Declares the variables and their rows at once, so that none can be without the other.
macro_rules! variables {
    ($($variable:ident $name:literal $type:ident $known:ident $says:literal
        $(in $list:ident)?;)*) => {
        /// A variable of an expression.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Variable { $(#[doc = $says] $variable,)* }

        impl Variable {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variable,)*];

            /// Its row in the table.
            pub const fn row(self) -> VariableRow {
                match self {
                    $(Self::$variable => VariableRow {
                        name: $name,
                        r#type: Type::$type,
                        known: Known::$known,
                        says: $says,
                        list: list!($($list)?),
                    },)*
                }
            }
        }
    };
}

variables! {
    Score "score" Int WhenTold
        "The model's score, 0 to 1000; missing while no model scores, or fraud.mode is shadow.";
    Probability "probability" Double WhenTold
        "The model's probability of fraud, 0.0 to 1.0; missing where score is.";
    ExpectedLoss "expected_loss" Double WhenTold
        "The probability times amount, in main units of fraud.currency; missing where score is.";
    Amount "amount" Double WhenTold
        "What the order costs in all, in main units of fraud.currency: 49.9.";
    Total "total" Double Always "The same in the order's own currency.";
    Currency "currency" Text Always "Its currency, ISO 4217: \"EUR\".";
    Lines "lines" Int Always "Different items in the cart.";
    Units "units" Int Always "Units in the cart.";
    Categories "categories" Texts Always "The tax categories of the items, each once.";
    Skus "skus" Texts Always "The codes of the items, each once: \"TEE-RED-M\" in skus.";
    ProductGroups "product_groups" Texts Always "The groups whose variants they are, each once.";
    ProductCategories "product_categories" Texts Always
        "Where the shop has them, each once: \"Apparel > Shirts\".";
    UnitPrice "unit_price" Double WhenTold
        "What a unit of the dearest item costs, in main units of fraud.currency.";
    GiftCard "gift_card" Bool Always
        "Whether a gift card is bought: by the tax category, or where the shop has it.";
    Digital "digital" Bool Always "Whether nothing needs to be shipped.";
    Discount "discount" Bool Always "Whether a discount counts.";
    DiscountAmount "discount_amount" Double WhenTold
        "What discounts took off, in main units of fraud.currency: 5.0.";
    DiscountShare "discount_share" Double Always
        "The share of the price that discounts took off, 0.0 to 1.0.";
    DiscountCodes "discount_codes" Int Always "Discount codes that count.";
    CodesTried "codes_tried" Int Always
        "Discount codes that were typed, whether they count or not.";
    Email "email" Text WhenTold "The buyer's e-mail address in lower case." in Email;
    EmailDomain "email_domain" Text WhenTold
        "What stands behind its @, in lower case." in Domain;
    EmailDigits "email_digits" Int WhenTold "How many digits stand before its @.";
    Phone "phone" Text WhenTold "The buyer's phone number, as it was typed.";
    Ip "ip" Text WhenTold "The buyer's network address." in Ip;
    IpPrefix "ip_prefix" Text WhenTold
        "The part of it that a household or a company shares (/24 or /48).";
    IpCountry "ip_country" Text WhenTold "Where it is, ISO 3166-1 alpha-2.";
    IpAsn "ip_asn" Int WhenTold "The network it belongs to.";
    Device "device" Text WhenTold "The device, as the storefront knows it again." in Device;
    UserAgent "user_agent" Text WhenTold "The buyer's browser or app.";
    Language "language" Text WhenTold "The buyer's language, BCP 47: \"de-AT\".";
    Card "card" Text WhenTold "The card's fingerprint." in Card;
    Bin "bin" Text WhenTold "The card's first six or eight digits." in Bin;
    Brand "brand" Text WhenTold "The card's brand: \"visa\".";
    Funding "funding" Text WhenTold "\"credit\", \"debit\" or \"prepaid\".";
    CardCountry "card_country" Text WhenTold "The issuer's country, ISO 3166-1 alpha-2.";
    Wallet "wallet" Bool WhenTold "Whether the card is in a phone's wallet.";
    BillingCountry "billing_country" Text WhenTold "Country of the bill.";
    ShippingCountry "shipping_country" Text WhenTold
        "Country the goods go to, else that of the bill.";
    BillingDiffers "billing_differs" Bool WhenTold
        "Whether bill and goods go to different addresses.";
    Address "address" Text WhenTold
        "The address the goods go to, hashed: the same however it is written." in Address;
    Building "building" Text WhenTold
        "The same without flat, suite or box, and without the postal code, hashed." in Address;
    Customer "customer" Text WhenTold
        "The storefront's name for the account; missing for a guest." in Customer;
    AccountDays "account_days" Int WhenTold "Whole days since the account was made.";
    SessionSeconds "session_seconds" Int Always
        "From the first page, else from the opening of the cart, to paying.";
    LocalHour "local_hour" Int WhenTold "The hour of the day where the buyer is, 0 to 23.";
    Declines "declines" Int Always "Payments of this cart that came to nothing before.";
    Storefront "storefront" Text Always "The id of the API key that the order came with.";
    Agent "agent" Bool WhenTold "Whether software places the order for the buyer.";
    Avs "avs" Bool AfterAuthorization "Whether the address matched at the issuer.";
    Cvc "cvc" Bool AfterAuthorization "Whether the card's code matched at the issuer.";
    ThreeDs "three_ds" Bool AfterAuthorization "Whether the buyer proved who they are.";
}

impl Variable {
    /// The variable of this name.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.row().name == name)
    }

    /// The variable that is looked up in lists of this kind.
    pub(super) fn of_list(kind: ListKind) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.row().list == Some(kind))
    }
}

/// The name under which features are reached: `features["card.count.24h"]`.
pub(super) const FEATURES: &str = "features";

/// One function or operator, as it is listed.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct FunctionRow {
    /// How it is written.
    pub form: &'static str,
    /// What it does.
    pub says: &'static str,
}

const fn row(form: &'static str, says: &'static str) -> FunctionRow {
    FunctionRow { form, says }
}

/// What can be done with the variables. Everything else of CEL is refused when a rule is saved.
pub const FUNCTIONS: &[FunctionRow] = &[
    row("a && b, a || b, !a, a ? b : c", "Logic. What is missing is absorbed where it may be."),
    row("==, !=, <, <=, >, >=", "Comparison of two texts, two numbers or two truth values."),
    row("+, -, *, /, %", "Arithmetic on two numbers of one type: amount * 2.0."),
    row("x in [\"a\", \"b\"], x in categories", "Whether a list holds a value."),
    row("features[\"card.count.24h\"]", "A feature by its name, as a number with a point."),
    row("categories[0]", "The item at a place; missing beyond the end."),
    row("listed(email, \"blocked_emails\")", "Whether one of the shop's lists holds a value."),
    row("has(email)", "Whether a value is known."),
    row("size(x), x.size()", "Characters of a text, items of a list."),
    row("x.contains(y), x.startsWith(y), x.endsWith(y)", "Parts of texts."),
    row("int(x), double(x)", "A number as the other type of number."),
    row("list.exists(x, …), list.all(x, …), list.exists_one(x, …)", "A condition on the items."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_told_apart_and_found_again() {
        let names: BTreeSet<&str> = Variable::ALL.iter().map(|one| one.row().name).collect();
        assert_eq!(names.len(), Variable::ALL.len());
        assert!(!names.contains(FEATURES));
        for variable in Variable::ALL {
            assert_eq!(Variable::find(variable.row().name), Some(*variable));
        }
    }

    #[test]
    fn each_kind_of_list_has_its_variable() {
        for kind in ListKind::ALL {
            let holds = |variable: &&Variable| variable.row().list == Some(kind);
            let count = Variable::ALL.iter().filter(holds).count();
            // An address may be listed whole, or as the building it is in.
            assert_eq!(count, if kind == ListKind::Address { 2 } else { 1 }, "{kind:?}");
        }
    }
}
