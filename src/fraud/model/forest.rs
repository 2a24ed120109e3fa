//! Regression trees in one flat array.
//!
//! A node's left child stands right behind it and its right child further on, so a walk only goes
//! forward and ends. Eight trees are walked in step: their loads do not wait for one another, and
//! a leaf stays where it is until the deepest of the eight is done, so that nothing branches on
//! data.

/// Trees walked in step.
const IN_STEP: usize = 8;

/// A node names its feature in 16 bits.
const MOST_FEATURES: usize = 1 << 16;

/// A node. A leaf's threshold lets nothing to the left, and its right child is itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    pub(super) threshold: f32,
    pub(super) right: u32,
    pub(super) value: f32,
    pub(super) feature: u16,
}

/// A node as it was grown: an index into the tree's own nodes for each child.
#[derive(Debug, Clone, PartialEq)]
pub struct GrownNode {
    /// The mean label of the training rows here.
    pub value: f64,
    /// What splits them: rows with `feature <= threshold` go to the first child.
    pub split: Option<GrownSplit>,
}

/// A split as it was grown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrownSplit {
    /// The feature.
    pub feature: usize,
    /// The threshold.
    pub threshold: f64,
    /// The child where it is not above.
    pub below: usize,
    /// The other one.
    pub above: usize,
}

/// The trees.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    pub(super) features: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<u32>,
    steps: Vec<u32>,
    bias: f64,
}

/// Nodes that are no trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the trees do not hold: {0}")]
pub struct BadTrees(pub(super) &'static str);

impl Forest {
    /// Lays grown trees flat.
    ///
    /// # Errors
    /// When there is no tree, or one is no tree, or names a feature that is not there.
    pub fn flatten(features: usize, trees: &[Vec<GrownNode>]) -> Result<Self, BadTrees> {
        let mut forest = Self { features, nodes: vec![], roots: vec![], steps: vec![], bias: 0.0 };
        for tree in trees {
            let root = forest.nodes.len();
            forest.roots.push(u32::try_from(root).map_err(|_| BadTrees("too many nodes"))?);
            forest.lay(tree, 0, &mut vec![false; tree.len()])?;
        }
        Self::checked(forest.features, forest.nodes, forest.roots)
    }

    fn lay(&mut self, tree: &[GrownNode], at: usize, laid: &mut [bool]) -> Result<(), BadTrees> {
        let node = tree.get(at).ok_or(BadTrees("a child is missing"))?;
        if std::mem::replace(&mut laid[at], true) {
            return Err(BadTrees("a node has two parents"));
        }
        let place = self.nodes.len();
        let right = u32::try_from(place).map_err(|_| BadTrees("too many nodes"))?;
        let value = node.value as f32;
        self.nodes.push(Node { threshold: f32::NEG_INFINITY, right, value, feature: 0 });
        if let Some(split) = node.split {
            self.lay(tree, split.below, laid)?;
            let right = u32::try_from(self.nodes.len());
            self.lay(tree, split.above, laid)?;
            let node = &mut self.nodes[place];
            node.right = right.map_err(|_| BadTrees("too many nodes"))?;
            node.threshold = not_above(split.threshold);
            node.feature = u16::try_from(split.feature).map_err(|_| BadTrees("a feature"))?;
        }
        Ok(())
    }

    /// Trees from their parts, after a look at every node.
    pub(super) fn checked(
        features: usize,
        nodes: Vec<Node>,
        roots: Vec<u32>,
    ) -> Result<Self, BadTrees> {
        if roots.is_empty() || roots[0] != 0 {
            return Err(BadTrees("there is no first tree"));
        }
        if features > MOST_FEATURES {
            return Err(BadTrees("it has more features than a node can name"));
        }
        if features == 0 || nodes.iter().any(|node| usize::from(node.feature) >= features) {
            return Err(BadTrees("a node asks for a feature that is not there"));
        }
        if nodes.iter().any(|node| !node.value.is_finite() || node.threshold.is_nan()) {
            return Err(BadTrees("a number is none"));
        }
        let ends = roots.iter().skip(1).map(|end| *end as usize).chain([nodes.len()]);
        let mut depths = Vec::with_capacity(roots.len());
        for (root, end) in roots.iter().map(|root| *root as usize).zip(ends) {
            depths.push(depth(&nodes, root, end)?);
        }
        let deepest = |group: &[u32]| group.iter().copied().max().unwrap_or(0);
        let steps = depths.chunks(IN_STEP).map(deepest).collect();
        let values = roots.iter().map(|root| f64::from(nodes[*root as usize].value));
        let bias = values.sum::<f64>() / roots.len() as f64;
        Ok(Self { features, nodes, roots, steps, bias })
    }

    /// How many features it reads.
    pub fn features(&self) -> usize {
        self.features
    }

    /// How many trees there are.
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// How many nodes they have.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The score before anything is known: what contributions are added to.
    pub fn bias(&self) -> f64 {
        self.bias
    }

    /// The mean over the trees.
    ///
    /// # Panics
    /// When the row is not as long as there are features.
    pub fn predict(&self, row: &[f32]) -> f64 {
        self.walk(row, |_, _, _| {})
    }

    /// The mean over the trees, and what each feature contributes to it: along each path, the
    /// change of the mean label from a node to its child belongs to the feature that was asked
    /// (Saabas 2014). `bias + Σ contributions` is the score.
    ///
    /// # Panics
    /// When either is not as long as there are features.
    pub fn explain(&self, row: &[f32], contributions: &mut [f64]) -> f64 {
        assert_eq!(contributions.len(), self.features, "one contribution per feature");
        contributions.fill(0.0);
        let raw = self.walk(row, |feature, from, to| {
            contributions[usize::from(feature)] += f64::from(to) - f64::from(from);
        });
        let trees = self.roots.len() as f64;
        contributions.iter_mut().for_each(|contribution| *contribution /= trees);
        raw
    }

    #[inline]
    fn walk(&self, row: &[f32], mut moved: impl FnMut(u16, f32, f32)) -> f64 {
        assert_eq!(row.len(), self.features, "a row has a value per feature");
        let nodes = self.nodes.as_slice();
        let mut sum = 0.0;
        for (roots, steps) in self.roots.chunks(IN_STEP).zip(&self.steps) {
            // A short last group walks its first tree again in the places left, and drops that.
            let mut at = [roots[0]; IN_STEP];
            at[..roots.len()].copy_from_slice(roots);
            let mut from = at.map(|place| nodes[place as usize]);
            for _ in 0..*steps {
                for (lane, (place, node)) in at.iter_mut().zip(&mut from).enumerate() {
                    let below = row[usize::from(node.feature)] <= node.threshold;
                    *place = if below { *place + 1 } else { node.right };
                    let to = nodes[*place as usize];
                    if lane < roots.len() {
                        moved(node.feature, node.value, to.value);
                    }
                    *node = to;
                }
            }
            sum += from[..roots.len()].iter().map(|leaf| f64::from(leaf.value)).sum::<f64>();
        }
        sum / self.roots.len() as f64
    }
}

/// The largest single not above: for a single `x`, `x <= threshold` and `x <= not_above(threshold)`
/// are the same question.
fn not_above(threshold: f64) -> f32 {
    let near = threshold as f32;
    if f64::from(near) > threshold { near.next_down() } else { near }
}

/// How many steps the longest walk of a tree takes, if every walk stays in the tree and ends.
fn depth(nodes: &[Node], root: usize, end: usize) -> Result<u32, BadTrees> {
    if root >= end || end > nodes.len() {
        return Err(BadTrees("trees overlap"));
    }
    let mut deepest = 0;
    let mut parents = vec![0_u8; end - root];
    let mut open = vec![(root, 0_u32)];
    while let Some((at, depth)) = open.pop() {
        deepest = deepest.max(depth);
        let right = nodes[at].right as usize;
        if right == at && nodes[at].threshold == f32::NEG_INFINITY {
            continue;
        }
        if right <= at + 1 || right >= end {
            return Err(BadTrees("a child stands before its parent, or outside"));
        }
        for child in [at + 1, right] {
            let parents = &mut parents[child - root];
            *parents += 1;
            if *parents > 1 {
                return Err(BadTrees("a node has two parents"));
            }
            open.push((child, depth + 1));
        }
    }
    Ok(deepest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(value: f64) -> GrownNode {
        GrownNode { value, split: None }
    }

    fn split(value: f64, feature: usize, threshold: f64, below: usize, above: usize) -> GrownNode {
        GrownNode { value, split: Some(GrownSplit { feature, threshold, below, above }) }
    }

    /// Random trees over three features, children in random order behind their parents.
    fn tree() -> impl Strategy<Value = Vec<GrownNode>> {
        prop::collection::vec((0..3_usize, -2.0..2.0_f64, 0.0..1.0_f64), 0..40).prop_map(|splits| {
            let mut tree = vec![leaf(0.5)];
            for (feature, threshold, value) in splits {
                // The leaf that a number picks is split.
                let leaves: Vec<usize> =
                    (0..tree.len()).filter(|at| tree[*at].split.is_none()).collect();
                let at = leaves[(value * 1e6) as usize % leaves.len()];
                let (above, below) = (tree.len(), tree.len() + 1);
                tree[at] = split(tree[at].value, feature, threshold, below, above);
                tree.extend([leaf(value), leaf(1.0 - value)]);
            }
            tree
        })
    }

    fn walked(tree: &[GrownNode], row: &[f32]) -> f64 {
        let mut at = 0;
        while let Some(split) = tree[at].split {
            let below = f64::from(row[split.feature]) <= split.threshold;
            at = if below { split.below } else { split.above };
        }
        tree[at].value
    }

    proptest! {
        /// Flat trees say what grown trees say, for rows on the thresholds too, and contributions
        /// add up to the score.
        #[test]
        fn flat_trees_say_what_grown_ones_say(
            trees in prop::collection::vec(tree(), 1..20),
            mut row in prop::array::uniform3(-2.0..2.0_f32),
            on in any::<prop::sample::Index>(),
        ) {
            if let Some(split) = trees[on.index(trees.len())][0].split {
                row[split.feature] = split.threshold as f32;
            }
            let forest = Forest::flatten(3, &trees).expect("trees");
            let sum: f64 = trees.iter().map(|tree| walked(tree, &row)).sum();
            let expected = sum / trees.len() as f64;
            let mut contributions = [9.0; 3];
            let raw = forest.explain(&row, &mut contributions);
            prop_assert!((raw - expected).abs() < 1e-7, "{} not {}", raw, expected);
            prop_assert_eq!(raw, forest.predict(&row));
            let added = forest.bias() + contributions.iter().sum::<f64>();
            prop_assert!((added - raw).abs() < 1e-12, "{} not {}", added, raw);
        }

        /// A rounded threshold parts singles as the exact one does.
        #[test]
        fn thresholds_stay_exact(low in -1e6..1e6_f32, ulps in 0..3_u8) {
            let high = (0..ulps).fold(low, |x, _| x.next_up());
            let threshold = f64::from(low) + (f64::from(high) - f64::from(low)) / 2.0;
            for x in [low.next_down(), low, high, high.next_up()] {
                prop_assert_eq!(f64::from(x) <= threshold, x <= not_above(threshold));
            }
        }
    }

    #[test]
    fn a_contribution_belongs_to_the_feature_that_was_asked() {
        let tree = vec![
            split(0.1, 0, 1.0, 1, 2),
            leaf(0.0),
            split(0.4, 2, 5.0, 3, 4),
            leaf(0.3),
            leaf(0.9),
        ];
        let forest = Forest::flatten(3, &[tree]).expect("a tree");
        let mut contributions = [0.0; 3];
        let raw = forest.explain(&[2.0, 0.0, 6.0], &mut contributions);
        assert!((raw - 0.9).abs() < 1e-6);
        let [first, second, third] = contributions;
        assert!((first - 0.3).abs() < 1e-6 && second == 0.0 && (third - 0.5).abs() < 1e-6);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let looped = vec![split(0.1, 0, 1.0, 0, 1), leaf(0.0)];
        assert!(Forest::flatten(1, &[looped]).is_err());
        let missing = vec![split(0.1, 0, 1.0, 1, 2), leaf(0.0)];
        assert!(Forest::flatten(1, &[missing]).is_err());
        let unknown = vec![split(0.1, 1, 1.0, 1, 2), leaf(0.0), leaf(1.0)];
        assert!(Forest::flatten(1, &[unknown]).is_err());
        assert!(Forest::flatten(1, &[]).is_err() && Forest::flatten(1, &[vec![]]).is_err());
    }
}
