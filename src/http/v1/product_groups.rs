//! `/v1/product-groups`: what is said of products that are variants of one another. A product names
//! its group; a group that nobody described is called like its first product.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::page::{self, Wanted};
use crate::{
    base::Limits,
    catalog::{
        Group, GroupId,
        texts::{self, CATEGORIES_MAX, CATEGORY_BYTES_MAX, DESCRIPTION_BYTES_MAX},
    },
    http::{
        asking::Asking, caller::Caller, door::Door, idempotency, kinds::Kind, problem::Problem,
        reading::At,
    },
};

/// Lists groups by id.
pub async fn list(
    door: web::Data<Door>,
    _caller: Caller,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let size = wanted.size(&door.limits)?;
    let after = wanted.cursor.as_deref().map(GroupId::parse).transpose();
    let after = after.map_err(|_| page::stale_cursor())?;
    let rows = door.catalog.list_groups(after.as_ref(), size + 1).await?;
    Ok(page::answer(rows, size, |row| row.id.to_string(), |row| row))
}

fn id_of(raw: &str) -> Result<GroupId, Problem> {
    GroupId::parse(raw).map_err(|error| Problem::new(Kind::Invalid, format!("Refused: {error}.")))
}

/// Shows what is said of a group.
pub async fn get(
    door: web::Data<Door>,
    _caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let group = door.catalog.find_group(&id_of(&id)?).await?;
    let group = group.ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("Nobody described a group `{id}`."))
            .suggest(format!("Describe it with PUT /v1/product-groups/{id}."))
    })?;
    Ok(HttpResponse::Ok().json(group))
}

/// Describes a group, anew or for the first time.
pub async fn save(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let group = read(&asking.body(), id_of(&id)?, &door)?;
    idempotency::change(&door, &asking, async || {
        door.catalog.save_groups(std::slice::from_ref(&group)).await?;
        Ok(idempotency::answer(200, &group))
    })
    .await
}

/// Forgets what was said of a group; its products stay together.
pub async fn remove(
    door: web::Data<Door>,
    asking: Asking,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&id)?;
    idempotency::change(&door, &asking, async || {
        door.catalog.remove_group(&id).await?;
        Ok(idempotency::answer(200, &json!({ "removed": id })))
    })
    .await
}

fn read(at: &At<'_>, id: GroupId, door: &Door) -> Result<Group, Problem> {
    let limits = &door.limits;
    Ok(Group {
        id,
        title: title(at, limits)?,
        description: description(at)?,
        image_url: image_url(at, limits)?,
        categories: categories(at)?,
        updated_at: door.clock.now(),
    })
}

/// A name for people: one line.
pub(super) fn title(at: &At<'_>, limits: &Limits) -> Result<String, Problem> {
    let field = at.get("title")?;
    let title = field.text(limits.text_bytes)?;
    texts::check_line(title, limits.text_bytes).map_err(|wrong| refused(&field, &wrong))?;
    Ok(title.to_owned())
}

/// The address of a picture.
pub(super) fn image_url(at: &At<'_>, limits: &Limits) -> Result<Option<String>, Problem> {
    let Some(field) = at.find("image_url") else { return Ok(None) };
    let url = field.text(limits.text_bytes)?;
    texts::check_url(url).map_err(|wrong| refused(&field, &wrong))?;
    Ok(Some(url.to_owned()))
}

/// Some sentences.
pub(super) fn description(at: &At<'_>) -> Result<Option<String>, Problem> {
    let Some(field) = at.find("description") else { return Ok(None) };
    let text = field.text(DESCRIPTION_BYTES_MAX)?;
    texts::check_text(text, DESCRIPTION_BYTES_MAX).map_err(|wrong| refused(&field, &wrong))?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Where a shop has it.
pub(super) fn categories(at: &At<'_>) -> Result<Vec<String>, Problem> {
    let Some(list) = at.find("categories") else { return Ok(Vec::new()) };
    let text = |one: At<'_>| one.text(CATEGORY_BYTES_MAX).map(str::to_owned);
    let categories: Vec<String> =
        list.items(CATEGORIES_MAX)?.map(text).collect::<Result<_, _>>()?;
    texts::check_categories(&categories).map_err(|wrong| refused(&list, &wrong))?;
    Ok(categories)
}

/// A field that is not as it was expected.
pub(super) fn refused(at: &At<'_>, wrong: &str) -> Problem {
    at.problem(Kind::Invalid, format!("Refused: {wrong}."))
}
