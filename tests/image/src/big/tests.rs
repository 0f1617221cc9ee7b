// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn packages_are_sorted_and_named_once() {
    for shape in [BIG, LARGE] {
        let names = shape.packages;
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[test]
fn groups_are_uneven_and_have_every_package_once() {
    let sizes: Vec<u64> = (0..1200).map(|i| 1_000_000 + i * 7919 % 500_000).collect();
    let groups = cut(&sizes, BIG.layers).unwrap();
    assert_eq!(groups.len(), BIG.layers);
    assert_eq!(
        (groups[0].start, groups[BIG.layers - 1].end),
        (0, sizes.len())
    );
    assert!(groups.windows(2).all(|pair| pair[0].end == pair[1].start));
    assert!(groups.iter().all(|group| !group.is_empty()));
    let weigh = |group: &Range<usize>| sizes[group.clone()].iter().sum::<u64>();
    let (biggest, smallest) = (
        groups.iter().map(weigh).max().unwrap(),
        groups.iter().map(weigh).min().unwrap(),
    );
    let all = sizes.iter().sum::<u64>();
    assert!((10..20).contains(&(biggest * 100 / all)), "{biggest}");
    assert!(smallest * 100 < all, "{smallest}");
}

#[test]
fn one_huge_package_leaves_the_others_their_groups() {
    for huge in [0, 30, 59, 60] {
        let mut sizes = vec![1; 61];
        sizes[huge] = 1_000_000;
        let groups = cut(&sizes, BIG.layers).unwrap();
        assert!(groups.iter().all(|group| !group.is_empty()), "{groups:?}");
        assert_eq!(groups[BIG.layers - 1].end, sizes.len());
    }
    assert!(cut(&[1; 59], BIG.layers).is_err());
}

#[test]
fn a_database_names_its_packages() {
    let status = "Package: apt\nStatus: install ok installed\n\nPackage: libc6\nDepends: x\n";
    assert_eq!(
        package_names(status).into_iter().collect::<Vec<_>>(),
        ["apt", "libc6"]
    );
}

#[test]
fn no_path_changes_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let make = |path: &str| fs::create_dir_all(dir.path().join(path)).unwrap();
    let write = |path: &str| fs::write(dir.path().join(path), path).unwrap();
    for path in ["base/usr/lib", "a/usr/share/x", "b/usr/link", "b/usr/share"] {
        make(path);
    }
    symlink("lib", dir.path().join("base/usr/link")).unwrap();
    for path in [
        "a/usr/share/x/1",
        "a/usr/lib",
        "b/usr/link/2",
        "b/usr/share/x",
    ] {
        write(path);
    }
    write("b/usr/share/y");
    let base = dir.path().join("base");
    let mut below = Below::new(&base);
    for tree in ["a", "b"] {
        below.settle(&dir.path().join(tree), Path::new("")).unwrap();
    }
    for (path, kept) in [
        ("a/usr/share/x/1", true),
        ("a/usr/lib", false),
        ("b/usr/link", false),
        ("b/usr/share/x", false),
        ("b/usr/share/y", true),
    ] {
        assert_eq!(dir.path().join(path).exists(), kept, "{path}");
    }
}

#[test]
fn too_small_an_image_is_refused() {
    let layer = Layer {
        name: String::new(),
        digest: String::new(),
        size: BIG.bytes / 2,
        diff_id: String::new(),
        unpacked: 0,
    };
    assert!(BIG.check(&[layer.clone(), layer.clone()]).is_ok());
    let error = BIG.check(&[layer]).unwrap_err().to_string();
    assert!(error.contains("its shape"), "{error}");
}
