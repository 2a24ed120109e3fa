//! The model as bytes: little-endian, versioned, with its own SHA-256 at the end.
//!
//! ```text
//!  "DBFOREST"  version u32
//!  features u32   trees u32   nodes u32   curve u32   cuts u32
//!  features' hash [32]
//!  roots u32 × trees
//!  nodes: threshold f32, right u32, value f32, feature u16
//!  curve: raw f32, share f32
//!  cuts f32
//!  SHA-256 of all before [32]
//! ```

use sha2::{Digest, Sha256};

use super::{
    Calibration, Forest, Model,
    calibration::BadCalibration,
    forest::{BadTrees, Node},
};

const MAGIC: &[u8; 8] = b"DBFOREST";
const VERSION: u32 = 1;
const HASH_BYTES: usize = 32;

/// A model this large is a mistake, and would not stay in a cache anyway.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Bytes that are no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelFault {
    /// Not a model file at all.
    #[error("this is no model file")]
    NotAModel,
    /// A version this build does not know.
    #[error("this is a model file of version {0}; this build reads version {VERSION}")]
    Version(u32),
    /// It was cut off, added to or changed.
    #[error("the model file is damaged: its hash does not match")]
    Damaged,
    /// The trees do not hold.
    #[error(transparent)]
    Trees(#[from] BadTrees),
    /// The calibration does not hold.
    #[error(transparent)]
    Calibration(#[from] BadCalibration),
    /// Trained on other features than these.
    #[error("the model was trained on other features than the schema declares")]
    OtherFeatures,
}

impl Model {
    /// The model as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (forest, calibration) = (&self.forest, &self.calibration);
        let mut out = Vec::with_capacity(64 + forest.nodes.len() * 14);
        out.extend_from_slice(MAGIC);
        let counts = [
            forest.features,
            forest.roots.len(),
            forest.nodes.len(),
            calibration.curve.len(),
            calibration.cuts.len(),
        ];
        let count = |count| u32::try_from(count).expect("invariant: sizes are checked to fit");
        for number in [VERSION].into_iter().chain(counts.map(count)) {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.features_hash);
        forest.roots.iter().for_each(|root| out.extend_from_slice(&root.to_le_bytes()));
        for node in &forest.nodes {
            out.extend_from_slice(&node.threshold.to_le_bytes());
            out.extend_from_slice(&node.right.to_le_bytes());
            out.extend_from_slice(&node.value.to_le_bytes());
            out.extend_from_slice(&node.feature.to_le_bytes());
        }
        for (raw, share) in &calibration.curve {
            out.extend_from_slice(&raw.to_le_bytes());
            out.extend_from_slice(&share.to_le_bytes());
        }
        calibration.cuts.iter().for_each(|cut| out.extend_from_slice(&cut.to_le_bytes()));
        let hash = Sha256::digest(&out);
        out.extend_from_slice(&hash);
        out
    }

    /// Reads a model, and looks at every part of it: what is read can be asked without failing.
    ///
    /// # Errors
    /// When it is none, is damaged, or does not hold.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFault> {
        let mut input = Input(bytes);
        if bytes.len() > MOST_BYTES || input.array::<8>().ok().as_ref() != Some(MAGIC) {
            return Err(ModelFault::NotAModel);
        }
        match input.number()? {
            VERSION => {}
            other => return Err(ModelFault::Version(other)),
        }
        let whole = bytes.len().checked_sub(HASH_BYTES).ok_or(ModelFault::Damaged)?;
        if Sha256::digest(&bytes[..whole])[..] != bytes[whole..] {
            return Err(ModelFault::Damaged);
        }
        let mut count = || input.number().map(|number| number as usize);
        let (features, trees, nodes) = (count()?, count()?, count()?);
        let (curve, cuts) = (count()?, count()?);
        let features_hash = input.array()?;
        // Counts are believed only as far as there are bytes for them.
        let roots = (0..trees).map(|_| input.number()).collect::<Result<_, _>>()?;
        let nodes = (0..nodes).map(|_| input.node()).collect::<Result<_, _>>()?;
        let curve = (0..curve)
            .map(|_| Ok((input.single()?, input.single()?)))
            .collect::<Result<_, ModelFault>>()?;
        let cuts = (0..cuts).map(|_| input.single()).collect::<Result<_, _>>()?;
        if input.0.len() != HASH_BYTES {
            return Err(ModelFault::Damaged);
        }
        let forest = Forest::checked(features, nodes, roots)?;
        Ok(Self { features_hash, forest, calibration: Calibration::new(curve, cuts)? })
    }

    /// SHA-256 of the bytes, in hexadecimal: what a manifest names a model by.
    pub fn fingerprint(&self) -> String {
        hexadecimal(&Sha256::digest(self.to_bytes()))
    }

    /// Checks that the model was trained on these features.
    ///
    /// # Errors
    /// When it was not.
    pub fn check_features(&self, hash: [u8; 32]) -> Result<(), ModelFault> {
        if self.features_hash == hash { Ok(()) } else { Err(ModelFault::OtherFeatures) }
    }
}

/// Bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelFault> {
        let (first, rest) = self.0.split_first_chunk().ok_or(ModelFault::Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u32, ModelFault> {
        self.array().map(u32::from_le_bytes)
    }

    fn single(&mut self) -> Result<f32, ModelFault> {
        self.array().map(f32::from_le_bytes)
    }

    fn node(&mut self) -> Result<Node, ModelFault> {
        let (threshold, right, value) = (self.single()?, self.number()?, self.single()?);
        Ok(Node { threshold, right, value, feature: u16::from_le_bytes(self.array()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::model::forest::{GrownNode, GrownSplit};

    fn model() -> Model {
        let leaf = |value| GrownNode { value, split: None };
        let split = Some(GrownSplit { feature: 1, threshold: 0.3, below: 1, above: 2 });
        let tree = vec![GrownNode { value: 0.2, split }, leaf(0.1), leaf(0.9)];
        let cuts = (0..1000_u16).map(|place| f32::from(place) / 1000.0).collect();
        Model {
            features_hash: [7; 32],
            forest: Forest::flatten(2, &[tree.clone(), tree]).expect("trees"),
            calibration: Calibration::new(vec![(0.0, 0.0), (1.0, 0.5)], cuts).expect("a curve"),
        }
    }

    #[test]
    fn a_model_reads_back_as_it_was() {
        let model = model();
        let bytes = model.to_bytes();
        assert_eq!(Model::from_bytes(&bytes).expect("a model"), model);
        assert!(model.check_features([7; 32]).is_ok() && model.check_features([8; 32]).is_err());
    }

    #[test]
    fn any_changed_byte_is_seen() {
        let bytes = model().to_bytes();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x10;
            assert!(Model::from_bytes(&changed).is_err(), "byte {place}");
            assert!(Model::from_bytes(&bytes[..place]).is_err(), "cut at {place}");
        }
        assert!(Model::from_bytes(&[bytes.as_slice(), b"x"].concat()).is_err());
    }

    /// Someone who can write the hash can write anything; what does not hold is refused still.
    #[test]
    fn a_forged_model_cannot_lead_a_walk_astray() {
        let good = model().to_bytes();
        let whole = good.len() - HASH_BYTES;
        let mut refused = 0;
        for place in 12..whole {
            let mut forged = good[..whole].to_vec();
            forged[place] = 0xff;
            let hash = Sha256::digest(&forged);
            forged.extend_from_slice(&hash);
            match Model::from_bytes(&forged) {
                // What reads can be asked, whatever it says.
                Ok(model) => {
                    let row = vec![0.0; model.forest.features()];
                    model.explain(&row, &mut vec![0.0; row.len()]);
                }
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 40, "{refused}");
    }
}
