use bangban_ledger::{
    Hash,
    merkle::{Tree, empty_root, leaf, root_by_path},
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// Leaves and roots of the test vectors of Certificate Transparency (RFC 6962).
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// Audit paths of the same vectors: index, leaves, path.
const PATHS: [(u64, usize, &[&str]); 3] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

fn vector(count: usize) -> Vec<Hash> {
    let data = LEAVES[..count]
        .iter()
        .map(|text| hex::decode(text).unwrap());
    data.map(|data| leaf(&data)).collect()
}

fn tree(leaves: &[Hash], mut tree: Tree) -> Tree {
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree
}

fn node(left: Hash, right: Hash) -> Hash {
    Sha256::digest([&[1][..], &left, &right].concat()).into()
}

/// RFC 6962, section 2.1, word by word.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        more => {
            let half = more.len().next_power_of_two() / 2;
            node(root(&more[..half]), root(&more[half..]))
        }
    }
}

/// Section 2.1.1, word by word.
fn path(at: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    match at.checked_sub(left.len()) {
        None => [path(at, left), vec![root(right)]].concat(),
        Some(at) => [path(at, right), vec![root(left)]].concat(),
    }
}

#[test]
fn bx_6_roots_and_paths_are_those_of_the_vectors() {
    for (count, expected) in ROOTS.iter().enumerate() {
        let root = tree(&vector(count), Tree::default()).root();
        assert_eq!(hex::encode(root), *expected, "{count} leaves");
    }
    for (index, count, expected) in PATHS {
        let (_, path) = tree(&vector(count), Tree::with_path_of(index)).root_and_path();
        let path: Vec<String> = path.iter().map(hex::encode).collect();
        assert_eq!(path, expected, "{index} of {count}");
    }
}

#[test]
fn bx_6_every_path_of_every_small_tree_leads_to_its_root() {
    let leaves: Vec<Hash> = (0..70_u8).map(|n| leaf(&[n])).collect();
    for count in 1..=leaves.len() {
        let leaves = &leaves[..count];
        for at in 0..count {
            let (top, found) = tree(leaves, Tree::with_path_of(at as u64)).root_and_path();
            assert_eq!((top, &found), (root(leaves), &path(at, leaves)));
            let lead =
                |at, count, path: &[Hash]| root_by_path(leaves[at as usize], at, count, path);
            let (at, count) = (at as u64, count as u64);
            assert_eq!(lead(at, count, &found), Some(top));
            assert_ne!(lead(at, count, &[&found[..], &[top]].concat()), Some(top));
            if let Some((_, less)) = found.split_last() {
                assert_ne!(lead(at, count, less), Some(top));
            }
        }
    }
    assert_eq!(root_by_path(leaves[0], 0, 0, &[]), None);
    assert_eq!(root_by_path(leaves[0], 1, 1, &[]), None);
}

proptest! {
    #[test]
    fn bx_6_the_tree_is_the_naive_one(data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..200),
        pick in any::<prop::sample::Index>()) {
        let leaves: Vec<Hash> = data.iter().map(|data| leaf(data)).collect();
        prop_assert_eq!(tree(&leaves, Tree::default()).root(), root(&leaves));
        if !leaves.is_empty() {
            let at = pick.index(leaves.len());
            let (top, found) = tree(&leaves, Tree::with_path_of(at as u64)).root_and_path();
            prop_assert_eq!(&found, &path(at, &leaves));
            let lead = |index| root_by_path(leaves[at], index, leaves.len() as u64, &found);
            prop_assert_eq!(lead(at as u64), Some(top));
            // A path proves its leaf at its place only; leaves may be alike.
            let other = (at + 1) % leaves.len();
            prop_assert!(lead(other as u64) != Some(top) || leaves[other] == leaves[at]);
        }
    }
}
