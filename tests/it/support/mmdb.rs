//! Writes small databases of network addresses, by the published MaxMind DB format (version 2.0):
//! a tree of bits, a section of data, and what there is to know about both.

use std::net::IpAddr;

/// A value of a record.
pub(crate) enum Data {
    Text(&'static str),
    Number(u32),
    Map(Vec<(&'static str, Data)>),
}

/// What follows a record in the tree.
#[derive(Clone, Copy)]
enum Next {
    Nothing,
    Node(usize),
    /// At this place of the data.
    Data(usize),
}

/// Zeros between the tree and the data.
const SEPARATOR: usize = 16;

/// A file of these networks.
pub(crate) fn database(networks: &[(&str, u8, Data)]) -> Vec<u8> {
    let mut tree = vec![[Next::Nothing; 2]];
    let mut data = Vec::new();
    for (address, length, record) in networks {
        let (bits, length) = match address.parse().expect("an address") {
            // IPv4 stands in the last 32 bits of the tree of IPv6.
            IpAddr::V4(ip) => (u128::from(u32::from(ip)), 96 + length),
            IpAddr::V6(ip) => (u128::from(ip), *length),
        };
        let place = data.len();
        write(record, &mut data);
        let mut node = 0;
        for depth in 0..length {
            let bit = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                tree[node][bit] = Next::Data(place);
                break;
            }
            node = match tree[node][bit] {
                Next::Node(next) => next,
                // A wider network that holds this one: what it says stands beside.
                wider => {
                    tree.push([wider; 2]);
                    let next = tree.len() - 1;
                    tree[node][bit] = Next::Node(next);
                    next
                }
            };
        }
    }
    let mut file = Vec::new();
    for next in tree.iter().flatten() {
        let record = match next {
            Next::Nothing => tree.len(),
            Next::Node(node) => *node,
            Next::Data(place) => tree.len() + SEPARATOR + place,
        };
        file.extend(&u32::try_from(record).expect("a small tree").to_be_bytes()[1..]);
    }
    file.extend([0; SEPARATOR]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    about(tree.len(), &mut file);
    file
}

fn about(nodes: usize, to: &mut Vec<u8>) {
    to.push(0xe0 | 9);
    let number = |name, kind: u8, value: u32, to: &mut Vec<u8>| {
        text(name, to);
        let bytes = value.to_be_bytes();
        let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        to.push(kind | u8::try_from(bytes.len()).expect("at most four"));
        to.extend(bytes);
    };
    const U16: u8 = 0xa0;
    const U32: u8 = 0xc0;
    number("node_count", U32, u32::try_from(nodes).expect("a small tree"), to);
    number("record_size", U16, 24, to);
    number("ip_version", U16, 6, to);
    number("binary_format_major_version", U16, 2, to);
    number("binary_format_minor_version", U16, 0, to);
    text("database_type", to);
    text("Test", to);
    text("languages", to);
    to.extend([0x00, 0x04]);
    text("build_epoch", to);
    // A number of 64 bits, an extended type.
    to.extend([0x01, 0x02, 1]);
    text("description", to);
    to.push(0xe0);
}

fn write(data: &Data, to: &mut Vec<u8>) {
    match data {
        Data::Text(words) => text(words, to),
        Data::Number(number) => {
            to.push(0xc0 | 4);
            to.extend(number.to_be_bytes());
        }
        Data::Map(fields) => {
            to.push(0xe0 | u8::try_from(fields.len()).expect("a small map"));
            for (name, value) in fields {
                text(name, to);
                write(value, to);
            }
        }
    }
}

/// Of at most 28 bytes.
fn text(words: &str, to: &mut Vec<u8>) {
    assert!(words.len() < 29, "longer texts are written otherwise");
    to.push(0x40 | u8::try_from(words.len()).expect("short"));
    to.extend(words.as_bytes());
}
