// SPDX-License-Identifier: Apache-2.0
//! The one way a route comes into being: with its permission, or it does not compile. The same call
//! writes its part of the OpenAPI document and its row of the authorisation table.

use super::bound::Bound;
use super::gate::{self, Rule};
use super::permission::Permission;
use super::state::Api;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use serde::Serialize;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{IntoParams, ToSchema};

/// The method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// What a route is, beside its permission and its handler.
pub(crate) struct Doc {
    method: Method,
    path: &'static str,
    id: &'static str,
    operation: OperationBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
    body: bool,
    commands: bool,
    tagged: bool,
    statuses: Vec<u16>,
    bounds: Vec<Bound>,
}

/// A row of the table that the authorisation-coverage test walks.
#[derive(Debug, Clone, Serialize)]
pub struct RouteRow {
    method: Method,
    path: String,
    operation: String,
    permission: Permission,
}

pub(crate) fn get(path: &'static str, id: &'static str, summary: &str) -> Doc {
    Doc::new(Method::Get, path, id, summary)
}

pub(crate) fn post(path: &'static str, id: &'static str, summary: &str) -> Doc {
    Doc::new(Method::Post, path, id, summary)
}

pub(crate) fn put(path: &'static str, id: &'static str, summary: &str) -> Doc {
    Doc::new(Method::Put, path, id, summary)
}

pub(crate) fn delete(path: &'static str, id: &'static str, summary: &str) -> Doc {
    Doc::new(Method::Delete, path, id, summary)
}

impl Doc {
    fn new(method: Method, path: &'static str, id: &'static str, summary: &str) -> Self {
        let mut operation = OperationBuilder::new().operation_id(Some(id)).summary(Some(summary));
        for name in path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')) {
            operation = operation.parameter(path_parameter(name));
        }
        let tag = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        operation = operation.tag(tag);
        Self {
            method,
            path,
            id,
            operation,
            schemas: Vec::new(),
            body: false,
            commands: false,
            tagged: false,
            statuses: Vec::new(),
            bounds: Vec::new(),
        }
    }

    pub(crate) fn describe(mut self, text: &str) -> Self {
        self.operation = self.operation.description(Some(text));
        self
    }

    /// Takes what `Q` describes behind `?`.
    pub(crate) fn query<Q: IntoParams>(mut self) -> Self {
        for parameter in Q::into_params(|| Some(ParameterIn::Query)) {
            self.bounds.extend(Bound::of(&parameter));
            self.statuses.push(422);
            self.operation = self.operation.parameter(parameter);
        }
        self
    }

    /// Takes a JSON body.
    pub(crate) fn body<B: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(self.reference::<B>())).build();
        let body =
            RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content);
        self.operation = self.operation.request_body(Some(body.build()));
        self.body = true;
        self
    }

    /// Answers with JSON.
    pub(crate) fn answers<A: ToSchema>(mut self, status: u16) -> Self {
        let content = ContentBuilder::new().schema(Some(self.reference::<A>())).build();
        let mut response =
            ResponseBuilder::new().description(meaning(status)).content("application/json", content);
        if self.tagged {
            let tag = HeaderBuilder::new().description(Some("For `If-Match`.")).build();
            response = response.header("ETag", tag);
        }
        self.operation = self.operation.response(status.to_string(), response.build());
        self
    }

    /// Answers with a page of those.
    pub(crate) fn page<T: ToSchema>(mut self) -> Self {
        self.reference::<T>();
        let item = Ref::from_schema_name(T::name().into_owned());
        let name = format!("{}Page", T::name());
        let count = |least: i32| ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least));
        let text = SchemaType::from_iter([Type::String, Type::Null]);
        let page = ObjectBuilder::new()
            .property("items", ArrayBuilder::new().items(item).max_items(Some(1000)))
            .property(
                "next",
                ObjectBuilder::new()
                    .schema_type(text)
                    .description(Some("Behind `?after=`, for the next page; null at the end.")),
            )
            .property("total", count(0).maximum(Some(10_000)).description(Some("Counted up to 10,000.")))
            .property(
                "total_is_capped",
                ObjectBuilder::new()
                    .schema_type(Type::Boolean)
                    .description(Some("There are more than `total`.")),
            );
        let page = ["items", "next", "total", "total_is_capped"].into_iter().fold(page, |p, r| p.required(r));
        self.schemas.push((name.clone(), RefOr::T(Schema::Object(page.build()))));
        let content = ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name(name)))).build();
        let response = ResponseBuilder::new().description(meaning(200)).content("application/json", content);
        self.operation = self.operation.response("200", response.build());
        self
    }

    /// Answers with something else than JSON.
    pub(crate) fn answers_with(mut self, status: u16, media: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let content = ContentBuilder::new().schema(Some(text)).build();
        let response = ResponseBuilder::new().description(meaning(status)).content(media, content).build();
        self.operation = self.operation.response(status.to_string(), response);
        self
    }

    /// Answers with a JSON object of no further description.
    pub(crate) fn answers_object(mut self) -> Self {
        let object = ObjectBuilder::new().schema_type(Type::Object).build();
        let content = ContentBuilder::new().schema(Some(object)).build();
        let response =
            ResponseBuilder::new().description(meaning(200)).content("application/json", content).build();
        self.operation = self.operation.response("200", response);
        self
    }

    /// Answers with 204.
    pub(crate) fn answers_empty(mut self) -> Self {
        let response = ResponseBuilder::new().description(meaning(204)).build();
        self.operation = self.operation.response("204", response);
        self
    }

    /// Sends a browser elsewhere.
    pub(crate) fn redirects(mut self) -> Self {
        let response = ResponseBuilder::new().description(meaning(303)).build();
        self.operation = self.operation.response("303", response);
        self
    }

    /// The answers carry an `ETag`.
    pub(crate) fn tagged(mut self) -> Self {
        self.tagged = true;
        self
    }

    /// Only with `If-Match`.
    pub(crate) fn if_match(mut self) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(64)).build();
        let parameter = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some("The `ETag` of what was read."))
            .schema(Some(text));
        self.operation = self.operation.parameter(parameter);
        self.statuses.extend([412, 422, 428]);
        self
    }

    /// May also answer with this problem.
    pub(crate) fn problem(mut self, status: u16) -> Self {
        self.statuses.push(status);
        self
    }

    /// Creates orders: takes `Idempotency-Key`.
    pub(crate) fn orders(mut self) -> Self {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(128))
            .pattern(Some("^[A-Za-z0-9_.:-]+$"))
            .build();
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The same key within 24 hours gives the same answer and no second order."))
            .schema(Some(text));
        self.operation = self.operation.parameter(parameter);
        self.commands = true;
        // A key that is none is 422.
        self.statuses.extend([409, 422]);
        self
    }

    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(name))
    }

    /// With the problems that every such route may answer with.
    fn finish(mut self, permission: Permission) -> (Operation, Vec<(String, RefOr<Schema>)>) {
        let mut statuses = std::mem::take(&mut self.statuses);
        statuses.extend([400, 429, 500, 503]);
        if permission != Permission::Public {
            statuses.extend([401, 403]);
        }
        if self.path.contains('{') {
            statuses.push(404);
        }
        if self.body {
            statuses.extend([413, 415, 422]);
        }
        if self.method == Method::Get {
            statuses.push(422);
        }
        statuses.sort_unstable();
        statuses.dedup();
        for status in statuses {
            let content =
                ContentBuilder::new().schema(Some(self.reference::<super::problem::Problem>())).build();
            let response = ResponseBuilder::new()
                .description(meaning(status))
                .content("application/problem+json", content);
            self.operation = self.operation.response(status.to_string(), response.build());
        }
        let none: [SecurityRequirement; 0] = [];
        let operation = match permission {
            Permission::Public => self.operation.securities(Some(none)),
            _ => self.operation.securities(Some([
                SecurityRequirement::new("bearer", [] as [&str; 0]),
                SecurityRequirement::new("cookie", [] as [&str; 0]),
            ])),
        };
        (operation.build(), self.schemas)
    }
}

fn path_parameter(name: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = match name {
        "project" => text.max_length(Some(64)).min_length(Some(1)),
        "rule" => text.max_length(Some(256)).min_length(Some(1)),
        "switch" => text.enum_values(Some(super::switches::NAMES)),
        "access" => text.pattern(Some("^[A-Z2-7]{20}$")),
        "name" => text.max_length(Some(64)).min_length(Some(1)),
        "class" => {
            text.enum_values(Some(lazaret_model::MalwareClass::all().map(|c| c.word()).collect::<Vec<_>>()))
        }
        "sha256" => text.pattern(Some("^[0-9a-f]{64}$")),
        _ => text.format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text.build()))
        .build()
}

const fn meaning(status: u16) -> &'static str {
    match status {
        200 => "Done.",
        201 => "Created.",
        202 => "Accepted; the orders are on their way.",
        204 => "Done; nothing to say.",
        303 => "Elsewhere; the header `Location` says where.",
        400 => "The request cannot be read.",
        401 => "No valid credentials.",
        403 => "Not permitted.",
        404 => "Nothing such in the projects that the credential may use so.",
        409 => "Not possible as things stand.",
        412 => "Changed meanwhile.",
        413 => "Over 1 MiB.",
        415 => "Not JSON.",
        422 => "Not as described.",
        428 => "`If-Match` is missing.",
        429 => "Too many requests; `Retry-After` says when.",
        503 => "Not available now, such as while the database is gone.",
        _ => "The server failed.",
    }
}

/// Routes, document and table as they grow.
pub(crate) struct Routes {
    api: Api,
    router: Router<Api>,
    pub(crate) paths: Paths,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    pub(crate) table: Vec<RouteRow>,
}

impl Routes {
    pub(crate) fn new(api: Api) -> Self {
        Self { api, router: Router::new(), paths: Paths::new(), schemas: Vec::new(), table: Vec::new() }
    }

    /// Registers a route. The permission stands first so that nobody overlooks it.
    pub(crate) fn add<H, T>(&mut self, permission: Permission, doc: Doc, handler: H)
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let (filter, method) = match doc.method {
            Method::Get => (MethodFilter::GET, HttpMethod::Get),
            Method::Post => (MethodFilter::POST, HttpMethod::Post),
            Method::Put => (MethodFilter::PUT, HttpMethod::Put),
            Method::Delete => (MethodFilter::DELETE, HttpMethod::Delete),
        };
        let path = format!("/api/v1{}", doc.path);
        let bounds = doc.bounds.clone().into();
        let rule = Rule { permission, operation: doc.id, idempotent: doc.commands, bounds };
        let state = (self.api.clone(), rule);
        // A layer of the route alone: what no route answers is not gated.
        let gated: MethodRouter<Api> = MethodRouter::new()
            .on(filter, handler)
            .route_layer(axum::middleware::from_fn_with_state(state, gate::pass));
        self.router = std::mem::take(&mut self.router).route(&path, gated);
        self.table.push(RouteRow {
            method: doc.method,
            path: path.clone(),
            operation: doc.id.to_owned(),
            permission,
        });
        let (operation, schemas) = doc.finish(permission);
        self.schemas.extend(schemas);
        let item = PathItem::new(method, operation);
        match self.paths.paths.get_mut(&path) {
            Some(there) => there.merge_operations(item),
            None => {
                self.paths.paths.insert(path, item);
            }
        }
    }

    pub(crate) fn into_router(self) -> Router<Api> {
        self.router
    }
}
